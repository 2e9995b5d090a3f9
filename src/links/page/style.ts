import { createHash } from 'node:crypto';

/** The whole style of the pages. It stands in the page itself: nothing is fetched, from here or anywhere. */
export const style = `
:root{color-scheme:light dark;--back:#eef1f5;--card:#fff;--text:#1b1f26;--soft:#545d6b;--line:#d9dfe7;--accent:#0b57d0;--over:#0842a0;--on:#fff;--paper:#e8f0fe}
@media(prefers-color-scheme:dark){:root{--back:#101318;--card:#1b2028;--text:#eceff4;--soft:#aab4c3;--line:#303846;--accent:#8ab4f8;--over:#aecbfa;--on:#0b1b33;--paper:#26334a}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;min-height:100svh;display:grid;place-items:center;padding:1.25rem;background:var(--back);color:var(--text);font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
main{width:100%;max-width:30rem;padding:2.25rem 2rem;background:var(--card);border:1px solid var(--line);border-radius:1.25rem;box-shadow:0 1px 2px #0001,0 1rem 2.5rem #0000000f;text-align:center}
svg{display:block;margin:0 auto 1.25rem;width:4.5rem;height:5.5rem}
.sheet{fill:var(--paper)}
.fold{fill:none}
.sheet,.fold{stroke:var(--accent);stroke-width:2;stroke-linejoin:round}
.kind{fill:var(--accent);font:700 15px system-ui,sans-serif;text-anchor:middle}
.eyebrow{margin:0 0 .25rem;color:var(--soft);font-size:.95rem}
h1{margin:0 0 .5rem;font-size:1.35rem;line-height:1.3;font-weight:650;overflow-wrap:anywhere;text-wrap:balance}
p{margin:0 0 .35rem;color:var(--soft)}
.facts{font-variant-numeric:tabular-nums}
.button{display:inline-block;min-width:14rem;margin:1.4rem 0 1.5rem;padding:.85rem 1.75rem;border-radius:999px;background:var(--accent);color:var(--on);font-weight:600;text-decoration:none}
.button:hover{background:var(--over)}
.button:focus-visible{outline:3px solid var(--accent);outline-offset:3px}
.hint{margin:0;padding-top:1.1rem;border-top:1px solid var(--line);font-size:.875rem}
@media(max-width:30rem){main{padding:1.75rem 1.25rem}.button{display:block}}
@media(forced-colors:active){.button{border:2px solid}.sheet{fill:Canvas}.sheet,.fold{stroke:CanvasText}.kind{fill:CanvasText}}
@media print{.button{display:none}}
`;

/** Allows this one style and nothing else: no script, no image, no frame, no form, whatever a file name contains. */
export const pagePolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
