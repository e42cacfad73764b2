import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { narrativeIssues } from './narrative.ts';

const NS = 'xmlns="http://www.w3.org/1999/xhtml"';
const div = (inner: string) => `<div ${NS}>${inner}</div>`;

function errors(text: string): string[] {
  return narrativeIssues(text).flatMap(({ severity, diagnostics }) => (severity === 'error' ? [diagnostics] : []));
}

describe('narrativeIssues', () => {
  test.each([
    'text',
    '<p class="a" id="b" lang="en" xml:lang="en" style="color:red; font-weight: bold">a<br/>b</p>',
    '<table border="1"><caption>c</caption><thead><tr><th scope="col" colspan="2">h</th></tr></thead><tbody><tr><td/></tr></tbody></table>',
    '<a href="https://example.org/?a=1&amp;b=2">x</a> <a name="y"/><a href="#y">z</a><a href="Patient/1">p</a><a href="mailto:a@example.org">m</a>',
    '<img src="#pic" alt="x"/>',
    '<img src="data:image/png;base64,AAAA"/>',
    '<img src="icon.png"/>',
    '<p style="background-image: url(tbl.png)">x</p>',
    '&lt;script&gt; &amp; &#160; &#xe9; > \u{1f600}',
    '<!-- a comment --><span>x</span>',
    '<ul><li>a</li></ul><ol start="2"><li value="3">b</li></ol><dl><dt>a</dt><dd>b</dd></dl>',
    '<h1>a</h1><blockquote cite="http://x">q</blockquote><pre>  x\n</pre><sub>1</sub><sup>2</sup><tt>t</tt>',
  ])('accepts %s', (inner) => {
    expect(narrativeIssues(div(inner))).toEqual([]);
  });

  test.each([
    ['x', 'before or after'],
    ['', 'one div'],
    ['<p xmlns="http://www.w3.org/1999/xhtml">x</p>', 'one div'],
    [div('x') + div('y'), 'one div'],
    [`<?xml version="1.0"?>${div('x')}`, 'before or after'],
    [`<!DOCTYPE div>${div('x')}`, 'DOCTYPE'],
    [`<!-- x -->${div('x')}`, 'before or after'],
    [`${div('x')}<!-- x -->`, 'before or after'],
    [`${div('x')}y`, 'before or after'],
    ['<div>x</div>', 'namespace'],
    ['<div xmlns="http://hl7.org/fhir">x</div>', 'namespace'],
    [div(' \n '), 'txt-2'],
    [div('<p> </p><br/>'), 'txt-2'],
    [div('<script>alert(1)</script>'), 'element script'],
    [div('<SCRIPT>alert(1)</SCRIPT>'), 'element SCRIPT'],
    [div('<p>a<iframe src="http://x"/></p>'), 'element iframe'],
    [div('a<object/><embed/>'), 'element object'],
    [div('<form action="x">a</form>'), 'element form'],
    [div('<style>p{}</style>'), 'element style'],
    [div('a<link rel="stylesheet" href="x"/>'), 'element link'],
    [div('a<base href="x"/>'), 'element base'],
    [div('<ins>a</ins>'), 'element ins'],
    [div('<font>a</font>'), 'element font'],
    [div('<p onclick="x()">a</p>'), 'event'],
    [div('<p ONMOUSEOVER="x()">a</p>'), 'event'],
    [div('<p data-x="1">a</p>'), 'attribute data-x'],
    [div('<a href="javascript:x()">a</a>'), 'script or data'],
    [div('<a href="&#106;ava&#x0a;script:x()">a</a>'), 'script or data'],
    [div('<a href=" JavaScript:x()">a</a>'), 'script or data'],
    [div('<a href="data:text/html,x">a</a>'), 'script or data'],
    [div('<a href="vbscript:x">a</a>'), 'script or data'],
    [div('<img src="javascript:x()"/>'), 'image'],
    [div('<img src="data:image/svg+xml,x"/>'), 'image'],
    [div('<img src="data:text/html,x"/>'), 'image'],
    [div('<p src="x">a</p>'), 'src'],
    [div('<p style="width: expression(alert(1))">a</p>'), 'style'],
    [div('<p style="background: url(javascript:x)">a</p>'), 'image'],
    [div('<p style="background: u/**/rl(javascript:x)">a</p>'), 'style'],
    [div('<p style="background: \\75rl(x)">a</p>'), 'style'],
    [div('<p style="@import x">a</p>'), 'style'],
    [div('<p style="-moz-binding: url(x)">a</p>'), 'style'],
    [div('<p>&nbsp;</p>'), '&nbsp;'],
    [div('<p>a & b</p>'), '&amp;'],
    [div('<a href="https://example.org/?a=1&b=2">x</a>'), '&amp;'],
    [div('<p>&#0;</p>'), 'reference'],
    [div('<p title="&frac14;">a</p>'), 'reference'],
    [div('a\u0001'), 'character'],
    [div('a\uffff'), 'character'],
    [div('<p>a'), 'end tag div'],
    [div('<p>a</b></p>'), 'end tag b'],
    [div('a < b'), '&lt;'],
    [div('<p class=x>a</p>'), 'broken'],
    [div('<p class="a" class="b">a</p>'), 'twice'],
    [div('<x:p>a</x:p>'), 'prefix'],
    [div('<p x:y="1">a</p>'), 'prefix'],
    [div('<svg xmlns="http://www.w3.org/2000/svg">a</svg>'), 'element svg'],
    [`<div ${NS} xmlns:svg="http://www.w3.org/2000/svg">a<svg:svg/></div>`, 'element svg:svg'],
    [div('a<!--><img src="x" onerror="y"/>-->'), 'comment'],
    [div('a<!-- -- -->'), 'comment'],
    [div('a<![CDATA[><script>x</script>]]>'), 'CDATA'],
    [div('a<?x ><script>?>'), 'processing'],
    [div('a ]]> b'), ']]&gt;'],
    [div(`${'<div>'.repeat(200)}a${'</div>'.repeat(200)}`), 'deep'],
  ])('refuses %s', (text, word) => {
    expect(errors(text).join('\n')).toContain(word);
  });

  test('warns of images from elsewhere', () => {
    for (const inner of [
      'a<img src="http://example.org/x.png"/>',
      'a<img src="//example.org/x.png"/>',
      '<p style="background: url(\'https://example.org/x.png\')">a</p>',
    ]) {
      expect(narrativeIssues(div(inner)).map(({ severity }) => severity)).toEqual(['warning']);
    }
  });

  test('tells each fault once, few in all, and no content', () => {
    const names = 'abcdefghijklmnopqrstuvwxyz'.split('').map((letter) => `x${letter}`);
    const many = narrativeIssues(div(names.map((name) => `<${name}>secret</${name}><${name}/>`).join('')));
    expect(many).toHaveLength(10);
    expect(new Set(many.map(({ diagnostics }) => diagnostics)).size).toBe(10);
    expect(JSON.stringify(many)).not.toContain('secret');
  });

  test('never throws, and takes time in proportion', () => {
    const pieces = fc.constantFrom(
      '<p',
      '<',
      '>',
      '/>',
      '</p>',
      ' a="',
      '"',
      '<!--',
      '-->',
      '&',
      ';',
      '#x',
      '<div>',
      '</div>',
      '<?',
      '<![CDATA[',
    );
    fc.assert(
      fc.property(
        fc.array(fc.oneof(pieces, fc.string())),
        (parts) => void narrativeIssues(`<div ${NS}>${parts.join('')}`),
      ),
    );
    const started = performance.now();
    for (const piece of ['<p a="', ' a="b"', '<!--', '<', '&', '<p xmlns:a="b">', ' ', '<p style="/*', 'url(']) {
      narrativeIssues(`<div ${piece.repeat(100_000)}`);
      narrativeIssues(div(piece.repeat(100_000)));
      narrativeIssues(div(`<p style="${piece.replaceAll(/["<&]/g, '').repeat(100_000)}">a</p>`));
    }
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
