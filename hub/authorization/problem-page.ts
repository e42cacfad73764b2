/** The page that says why a request for authorization is not answered, when it cannot be sent back to the app. */

export function problemPage(reason: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The app cannot be connected</title>
<style>
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 12vh auto; max-width: 34rem; padding: 0 1.5rem; }
code { overflow-wrap: anywhere; }
</style>
</head>
<body>
<main>
<h1>The app cannot be connected</h1>
<p>Its request is not as it has to be, so nothing was given to it. Go back and start the app again; if that does not help, tell those who make it:</p>
<p><code>${escaped(reason)}</code></p>
</main>
</body>
</html>
`;
}

function escaped(text: string): string {
  const entities: { [character: string]: string } = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.slice(0, 500).replace(/[&<>"']/g, (character) => entities[character]!);
}
