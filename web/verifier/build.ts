/** Builds the page that checks receipts into one file, which works from wherever it lies and can reach nothing. */
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'vite';

const page = 'verifier.html';

/** Builds the page beside the screens, once these are there. */
export function verifierPage(outDir: string): Plugin {
  return {
    name: 'verifier-page',
    apply: 'build',
    closeBundle: {
      sequential: true,
      async handler() {
        await build({
          configFile: false,
          logLevel: 'error',
          root: fileURLToPath(new URL('.', import.meta.url)),
          plugins: [inOneFile()],
          build: {
            outDir,
            emptyOutDir: false,
            target: 'es2023',
            modulePreload: false,
            reportCompressedSize: false,
            rolldownOptions: { input: fileURLToPath(new URL(page, import.meta.url)) },
          },
        });
      },
    },
  };
}

/** Puts script and style into the page, with a policy that lets it run these and load nothing. */
function inOneFile(): Plugin {
  return {
    name: 'in-one-file',
    enforce: 'post',
    generateBundle(_options, bundle) {
      const html = bundle[page];
      if (html?.type !== 'asset') throw new Error(`The build made no ${page}.`);
      const [scripts, styles]: string[][] = [[], []];
      for (const [name, made] of Object.entries(bundle)) {
        if (made === html) continue;
        if (made.type === 'chunk') scripts!.push(made.code);
        else styles!.push(textOf(made.source));
        delete bundle[name];
      }
      const [script, style] = [scripts!.join('\n').replaceAll('</script', '<\\/script'), styles!.join('\n')];
      const policy = `default-src 'none'; script-src '${hashOf(script)}'; style-src '${hashOf(style)}'`;
      html.source = textOf(html.source)
        .replace(/<link rel="stylesheet"[^>]*>\s*/g, '')
        .replace(/<script type="module"[^>]*><\/script>\s*/g, '')
        .replace(
          '<meta charset="utf-8" />',
          () => `<meta charset="utf-8" />\n    <meta http-equiv="Content-Security-Policy" content="${policy}" />`,
        )
        .replace('</head>', () => `<style>${style}</style>\n  </head>`)
        .replace('</body>', () => `<script type="module">${script}</script>\n  </body>`);
    },
  };
}

function textOf(source: string | Uint8Array): string {
  return typeof source === 'string' ? source : new TextDecoder().decode(source);
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
