import type { HeaderField } from '../message/header-block.ts';
import { dateTime } from './date-time.ts';
import type { Trace } from './interface.ts';
import { tag64, type Keyring } from './keyring.ts';

/**
 * Our trace field (RFC 5321 section 4.4), with a marker in a comment: a hop that strips fields it does not know leaves
 * Received alone. The marker is a MAC over the id and the time, so that no stranger can write fields that count.
 *
 * Helo and address come from the client: what does not belong into a domain or an address becomes `?`.
 */
export function receivedField(keyring: Keyring, trace: Trace, { now }: { readonly now: number }): string {
  const seconds = Math.floor(now / 1000);
  const id = safe(trace.id, 64) || 'unknown';
  const key = keyring.signing;
  const tag = tag64(keyring.mac(key, { purpose: 'received', parts: [id, String(seconds)] }));
  const marker = `detach=${key.id}/${seconds.toString(36)}/${tag}`;
  return (
    `Received: from ${safe(trace.helo, 200) || 'unknown'} (${addressLiteral(trace.address)})\r\n` +
    `\tby ${safe(trace.hostname, 200)} (Detach MTA) with ${safe(trace.protocol, 32) || 'ESMTP'} id ${id}\r\n` +
    `\t(${marker});\r\n` +
    `\t${dateTime(now)}\r\n`
  );
}

/** The marker of our cluster in a Received field, or undefined when there is none or it is forged. */
export function ownMarker(keyring: Keyring, field: HeaderField): string | undefined {
  if (!field.raw.includes('(detach=') || field.raw.length > maxReceivedBytes) return undefined;
  const value = field.raw.toString('latin1').replace(/[ \t\r\n]+/g, ' ');
  const match = /\sid (\S{1,64}) ?\(detach=([^/ ]{1,300})\/([0-9a-z]{1,9})\/([\w-]{11})\)/.exec(value);
  if (!match) return undefined;
  const [, id, keyId, time, tag] = match as unknown as [string, string, string, string, string];
  const key = keyring.find(keyId);
  if (!key) return undefined;
  const mac = keyring.mac(key, { purpose: 'received', parts: [id, String(parseInt(time, 36))] });
  return tag64(mac) === tag ? tag : undefined;
}

/** A Received field of ours is a fraction of this; a longer one is not worth a MAC. */
const maxReceivedBytes = 2000;

function safe(text: string, maxLength: number): string {
  return text.slice(0, maxLength).replace(/[^A-Za-z0-9.:_[\]-]/g, '?');
}

/** RFC 5321 section 4.1.3. */
function addressLiteral(address: string): string {
  const bare = safe(address, 64).replace(/[[\]]/g, '');
  if (bare === '') return 'unknown';
  return bare.includes(':') && !/^ipv6:/i.test(bare) ? `[IPv6:${bare}]` : `[${bare}]`;
}
