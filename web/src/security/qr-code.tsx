/** A text as a QR code, dark on light in both colour schemes, as cameras need it. */
import encodeQR from 'qr';

/** @param size pixels of a side */
export function QrCode({ text, label, size = 200 }: { text: string; label: string; size?: number }) {
  const rows = encodeQR(text, 'raw', { border: 4, ecc: 'medium' });
  const modules = rows.length;
  const dark = rows.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])));
  return (
    <svg viewBox={`0 0 ${modules} ${modules}`} width={size} height={size} role="img" aria-label={label}>
      <rect width={modules} height={modules} fill="#fff" />
      <path d={dark.join('')} fill="#000" />
    </svg>
  );
}
