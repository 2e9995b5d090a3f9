import { Failure } from '../../smtp/failures.ts';
import { describeReply, isPositive } from '../../smtp/reply.ts';
import { fail, type Found, ok, warn } from '../finding.ts';
import type { Context } from '../interface.ts';
import { widestPublic } from '../wide-networks.ts';
import type { Met } from './meet-next-hop.ts';

type Answering = Extract<Met, { readonly kind: 'met' }>;

/** A domain that nobody can have (RFC 2606 section 2). */
const stranger = '<doctor@example.invalid>';

/**
 * Whether the next hop relays for us to anybody, which is as it should be where we take mail from neighbours alone: with
 * a wide `inbound.trustedNetworks` it makes an open relay. Says RSET, never DATA.
 */
export async function relays({ channel }: Answering, peer: string, context: Context): Promise<readonly Found[]> {
  try {
    // An LMTP server delivers; it never relays.
    if (channel.protocol === 'lmtp') return [];
    const mail = await channel.dialog.command('MAIL FROM:<>', { verb: 'MAIL', timeout: channel.timeouts.mail });
    if (!isPositive(mail)) {
      return [
        warn(`${peer}: refuses MAIL FROM:<>: ${describeReply(mail)}`, 'it must take bounces and notifications from us'),
      ];
    }
    const rcpt = await channel.dialog.command(`RCPT TO:${stranger}`, { verb: 'RCPT', timeout: channel.timeouts.rcpt });
    await channel.reset();
    return [judge(isPositive(rcpt), peer, context)];
  } catch (error) {
    const { message } = Failure.from(error);
    return [fail(`${peer}: breaks a session: ${message}`, 'look at the log of that server')];
  }
}

function judge(relayed: boolean, peer: string, { config: { inbound } }: Context): Found {
  const wide = widestPublic(inbound.trustedNetworks);
  if (!relayed) return ok(`${peer}: does not relay to strangers for us`);
  if (wide === undefined) return ok(`${peer}: relays for us, and we take mail from inbound.trustedNetworks alone`);
  return fail(
    `${peer}: relays to strangers for us, and inbound.trustedNetworks holds all of ${wide}: an open relay`,
    'name only your mail servers in inbound.trustedNetworks',
  );
}
