import { formatNextHop } from '../../config/addresses.ts';
import type { NextHopAddress } from '../../config/config.ts';
import { fail, type Found, ok, warn } from '../finding.ts';
import type { Check, Context, Step } from '../interface.ts';
import { sizeLimitOf } from '../postfix/values.ts';
import { datesOf } from './certificate.ts';
import { type Met, meet } from './meet-next-hop.ts';
import { relays } from './relay-test.ts';

/** Asks each next hop, as the service does, and looks at what it offers. */
export const nextHops: Check = {
  name: 'next-hop',
  run: async (context, signal) => {
    const { outbound } = context.config;
    const found = await Promise.all(outbound.nextHop.map((address) => visit(address, { context, signal })));
    return found.flat();
  },
};

async function visit(address: NextHopAddress, step: Step): Promise<readonly Found[]> {
  const { context } = step;
  const peer = formatNextHop(address);
  const met = await meet(address, step);
  if (met.kind === 'failed') return [fail(`${peer}: ${met.reason}`, met.fix)];
  if (met.kind === 'ourselves')
    return [
      fail(
        `${peer} is ourselves: ${met.evidence}`,
        'set outbound.nextHop to the server that delivers: mail sent here would come back for ever',
      ),
    ];
  try {
    return [
      ok(`${peer}: answers as ${met.name}${met.tls ? ', with TLS' : ', in clear'}`),
      ...nameOf(met, peer, context),
      ...offers(met, peer, context),
      ...certificate(met, peer, context),
      ...(await relays(met, peer, context)),
    ];
  } finally {
    met.channel.quit();
  }
}

type Answering = Extract<Met, { readonly kind: 'met' }>;

function nameOf({ name }: Answering, peer: string, { config: { hostname } }: Context): readonly Found[] {
  return name.toLowerCase() === hostname.toLowerCase()
    ? [
        warn(
          `${peer}: greets with our own name, ${name}: some servers refuse a client with their name as a mail loop`,
          'give hostname a value of its own',
        ),
      ]
    : [];
}

/** What is lost without each: transactions that need it wait. */
const wanted = {
  '8BITMIME': 'mail in 8 bits waits: smtpd_discard_ehlo_keywords there',
  SMTPUTF8: 'mail with addresses beyond ASCII waits: smtputf8_enable = yes there',
  DSN: 'mail that asks for delivery reports waits: smtpd_discard_ehlo_keywords there',
} as const;

/** Bytes of the largest message that comes to us: no more than the servers before us take, where these are named. */
function largestMessage({ config, neighbours }: Context): number {
  const before = neighbours.filter(({ toUs }) => toUs.length > 0).map(sizeLimitOf);
  return Math.min(config.inbound.maxMessageSize, before.length === 0 ? Infinity : Math.max(...before));
}

function offers({ channel, tls }: Answering, peer: string, context: Context): readonly Found[] {
  const { config } = context;
  const { extensions } = channel;
  const found: Found[] = [];
  // LMTP servers such as Dovecot take no SMTPUTF8, and nobody can change that.
  if (config.outbound.protocol === 'smtp')
    for (const [keyword, why] of Object.entries(wanted))
      if (!extensions.has(keyword)) found.push(warn(`${peer}: does not offer ${keyword}`, why));
  const size = Number(extensions.get('SIZE') ?? 0);
  if (size > 0 && size < largestMessage(context))
    found.push(
      warn(
        `${peer}: takes messages of ${size} bytes, and inbound.maxMessageSize is ${config.inbound.maxMessageSize}: what is still larger without its files bounces with 552`,
        'raise message_size_limit there, or lower inbound.maxMessageSize',
      ),
    );
  if (!tls && config.outbound.tls.mode === 'opportunistic' && extensions.has('STARTTLS'))
    found.push(warn(`${peer}: offers TLS, which fails: mail goes in clear`, 'look at its certificate and at its log'));
  return found;
}

function certificate({ certificate }: Answering, peer: string, { now }: Context): readonly Found[] {
  if (!certificate) return [];
  const dates = datesOf(certificate, { where: peer, now: now() });
  // Opportunistic TLS does not look at it: nothing fails.
  return dates ? [{ ...dates, result: 'warn' }] : [];
}
