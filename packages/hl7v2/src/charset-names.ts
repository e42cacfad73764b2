/**
 * Character sets by the names of HL7 table 0211 (MSH-18) and the names vendors write instead, as the labels of the
 * WHATWG Encoding Standard.
 */

/** `auto` is ASCII by name: senders that declare it, or nothing, still send 8-bit text. */
export type CharsetLabel = string;

/**
 * The charset a sender means by a name in MSH-18.
 *
 * @returns an Encoding Standard label, `auto` for ASCII and for no name at all, undefined for a name not known
 */
export function charsetLabel(name: string): CharsetLabel | undefined {
  return labels.get(name.toUpperCase().replace(/[^A-Z0-9]/g, ''));
}

const labels: ReadonlyMap<string, string> = new Map([
  ['', 'auto'],
  ['ASCII', 'auto'],
  ['USASCII', 'auto'],
  ['ANSI', 'windows-1252'],
  ['ISOIR6', 'auto'],
  ['ISOIR100', 'windows-1252'],
  ['UNICODE', 'utf-8'],
  ['UNICODEUTF8', 'utf-8'],
  ['UTF8', 'utf-8'],
  ['ISOIR192', 'utf-8'],
  ['UNICODEUTF16', 'utf-16'],
  ['UTF16', 'utf-16'],
  ['UTF16LE', 'utf-16le'],
  ['UTF16BE', 'utf-16be'],
  ['LATIN1', 'windows-1252'],
  ...iso8859(1, 'windows-1252'),
  ...iso8859(9, 'windows-1254'),
  ...iso8859(11, 'windows-874'),
  ...[2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16].flatMap((part) => iso8859(part, `iso-8859-${part}`)),
  ...[874, 1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258].flatMap((page): [string, string][] => [
    [`WINDOWS${page}`, `windows-${page}`],
    [`CP${page}`, `windows-${page}`],
  ]),
  ['KOI8R', 'koi8-r'],
  ['GB180302000', 'gb18030'],
  ['GB18030', 'gb18030'],
  ['GBK', 'gbk'],
  ['GB2312', 'gbk'],
  ['BIG5', 'big5'],
  ['KSX1001', 'euc-kr'],
  ['EUCKR', 'euc-kr'],
  ['ISOIR14', 'shift_jis'],
  ['SHIFTJIS', 'shift_jis'],
  ['SJIS', 'shift_jis'],
  ['EUCJP', 'euc-jp'],
  ['ISOIR87', 'iso-2022-jp'],
  ['ISOIR159', 'iso-2022-jp'],
  ['ISO2022JP', 'iso-2022-jp'],
]);

/** `8859/1` as the table writes it, and `ISO-8859-1`, `ISO8859_1` as vendors do. */
function iso8859(part: number, label: string): [string, string][] {
  return [
    [`8859${part}`, label],
    [`ISO8859${part}`, label],
    [`ISOIEC8859${part}`, label],
  ];
}
