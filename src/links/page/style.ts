import { createHash } from 'node:crypto';
import { readableOn } from './colours.ts';

/** The style of all pages. It is part of the page, so that nothing is fetched. */
const common = `
:root{color-scheme:light dark;--back:#eef1f5;--card:#fff;--text:#1b1f26;--soft:#545d6b;--line:#d9dfe7;--accent:#0b57d0;--on:#fff;--paper:#e8f0fe;--ink:#0b57d0}
@media(prefers-color-scheme:dark){:root{--back:#101318;--card:#1b2028;--text:#eceff4;--soft:#aab4c3;--line:#303846;--accent:#8ab4f8;--on:#0b1b33;--paper:#26334a;--ink:#8ab4f8}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;min-height:100svh;display:grid;place-items:center;padding:1.25rem;background:var(--back);color:var(--text);font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
main{width:100%;max-width:32rem;background:var(--card);border:1px solid var(--line);border-radius:1rem;box-shadow:0 1px 2px #0001,0 1rem 2.5rem #0000000f;overflow:hidden}
main.wide{max-width:44rem}
header{display:flex;align-items:center;gap:.75rem;padding:1rem 1.75rem;border-bottom:1px solid var(--line);font-size:.95rem;font-weight:600;line-height:1.35;overflow-wrap:anywhere}
header img{display:block;max-height:2.5rem;max-width:10rem;padding:2px;border-radius:4px;background:#fff}
.body{padding:2rem 1.75rem 1.75rem;text-align:center}
svg{display:block;margin:0 auto 1.1rem;width:4rem;height:4.9rem}
.sheet{fill:var(--paper)}
.fold{fill:none}
.sheet,.fold{stroke:var(--ink);stroke-width:2;stroke-linejoin:round}
.kind{fill:var(--ink);font:700 15px system-ui,sans-serif;text-anchor:middle}
.eyebrow{margin:0 0 .25rem;color:var(--soft);font-size:.95rem}
h1{margin:0 0 .4rem;font-size:1.35rem;line-height:1.3;font-weight:650;overflow-wrap:anywhere;text-wrap:balance}
p{margin:0 0 .35rem;color:var(--soft)}
.facts{font-variant-numeric:tabular-nums}
.button{display:inline-block;min-width:14rem;margin:1.25rem 0 0;padding:.8rem 1.75rem;border-radius:.6rem;background:var(--accent);color:var(--on);font-weight:600;text-decoration:none}
.button:hover{text-decoration:underline}
a{color:inherit}
a:focus-visible,summary:focus-visible{outline:3px solid var(--text);outline-offset:3px;border-radius:.3rem}
dl{margin:1.5rem 0 0;padding:1.1rem 0 0;border-top:1px solid var(--line);display:grid;gap:.7rem;text-align:start}
dt{color:var(--soft);font-size:.85rem}
dd{margin:0;overflow-wrap:anywhere}
ul{list-style:none;margin:1.25rem 0 0;padding:0;border-top:1px solid var(--line);text-align:start}
li{display:flex;flex-wrap:wrap;align-items:baseline;gap:.1rem 1rem;padding:.65rem 0;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
li>:first-child{flex:1 1 16rem;min-width:0}
li>a{font-weight:600;text-underline-offset:.2em}
li>bdi{color:var(--soft)}
li span{color:var(--soft);font-size:.9rem;font-variant-numeric:tabular-nums}
ul+dl{margin-top:.4rem;padding-top:.7rem;border:0}
ul+p,nav{margin-top:1rem;font-size:.9rem}
nav>*{display:inline-block;padding:.35rem .6rem}
details{margin:1.1rem 0 0;text-align:start;font-size:.875rem;color:var(--soft)}
summary{cursor:pointer;width:fit-content}
code{display:block;margin-top:.4rem;overflow-wrap:anywhere;font:.85rem/1.5 ui-monospace,Menlo,Consolas,monospace;color:var(--text)}
footer{padding:1rem 1.75rem;border-top:1px solid var(--line);color:var(--soft);font-size:.875rem;text-align:center}
footer p{margin:0;overflow-wrap:anywhere}
@media(max-width:30rem){body{padding:.5rem;place-items:start center}.body{padding:1.5rem 1.1rem}header,footer{padding:.9rem 1.1rem}.body>.button{display:block}}
@media(forced-colors:active){.button{border:2px solid}.sheet{fill:Canvas}.sheet,.fold{stroke:CanvasText}.kind{fill:CanvasText}}
@media print{body{display:block;background:none}main,main.wide{border:0;box-shadow:none;max-width:none}.button{display:none}summary{list-style:none}details::details-content{display:block;content-visibility:visible}}
`;

export interface Style {
  readonly css: string;
  /** The CSP: allows this style and embedded pictures, and no script, frame or form, whatever a name contains. */
  readonly policy: string;
}

/**
 * @param colour of the button, `#rgb` or `#rrggbb`, in the light and the dark style @param own style of the operator's
 * templates
 */
export function pageStyle(colour?: string, own = ''): Style {
  const coloured =
    colour === undefined
      ? common
      : `${common}:root:root{--accent:${colour};--on:${readableOn(colour)};--ink:var(--soft);--paper:var(--back)}\n`;
  const css = coloured + own;
  const policy = [
    "default-src 'none'",
    `style-src 'sha256-${createHash('sha256').update(css).digest('base64')}'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  return { css, policy };
}
