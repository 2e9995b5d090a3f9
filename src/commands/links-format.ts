import type { Found } from '../storage/admin/find.ts';
import { linkUrl } from '../links/interface.ts';
import { wireToText } from '../smtp/reply.ts';

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
export function linkLine(found: Found, baseUrl: string, note = ''): string {
  const { url, name, size, created, expires, sender } = linkJson(found, baseUrl);
  const state = found.link.held === undefined ? found.state : `${found.state}, held`;
  const end = expires === null ? 'never' : expires.slice(0, 10);
  return `${plain([url, state, created.slice(0, 10), end, `${size}`, sender, name].join('  ') + note)}\n`;
}

export const plain = (text: string): string =>
  text.replace(/[\0-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, ' ');
