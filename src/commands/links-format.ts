import type { Found } from '../storage/admin/find.ts';
import { linkUrl } from '../links/interface.ts';
import { wireToText } from '../smtp/reply.ts';
import { onOneLine } from '../smtp/one-line.ts';

/** A link as `--json` shows it. */
export const linkJson = ({ token, link, state }: Found, baseUrl: string) => ({
  token,
  url: linkUrl(baseUrl, token),
  name: link.name,
  type: link.type,
  size: link.size,
  sha256: link.sha256,
  state,
  created: link.created,
  expires: link.expires,
  sender: wireToText(link.reversePath),
  messageId: wireToText(link.messageIdentity),
  ...(link.from !== undefined && { from: link.from }),
  ...(link.held !== undefined && { held: link.held }),
});

/** A line for a person, without control characters for the terminal. */
export function linkLine(
  found: Found,
  { baseUrl, note = '' }: { readonly baseUrl: string; readonly note?: string },
): string {
  const { url, name, size, created, expires, sender } = linkJson(found, baseUrl);
  const state = found.link.held === undefined ? found.state : `${found.state}, held`;
  const end = expires === null ? 'never' : expires.slice(0, 10);
  return `${onOneLine([url, state, created.slice(0, 10), end, `${size}`, sender, name].join('  ') + note)}\n`;
}
