import { fail, type Found, ok, warn } from '../finding.ts';
import type { Check, Context } from '../interface.ts';
import type { Neighbour } from '../postfix/neighbour.ts';
import type { Route } from '../postfix/routes.ts';
import { carrierPrefix, carrierValue, secondsOf } from '../postfix/values.ts';

/** How long the last dot may take while files are uploaded: RFC 5321 section 4.5.3.2.6. */
const finalDotSeconds = 600;

/** Below this a slow upload is a matter of every day, not of a bad one. */
const shortSeconds = 300;

/** Whether the neighbours wait as long as an upload may take. */
export const timeouts: Check = {
  name: 'postfix-timeouts',
  run: (context) =>
    context.neighbours.flatMap((neighbour) => [
      ...neighbour.toUs.map((route) => patience(neighbour, route)),
      ...(neighbour.fromUs.length > 0 ? [idle(neighbour, context)] : []),
    ]),
};

interface Patience {
  readonly name: string;
  readonly value: string;
  /** Seconds that we may need. */
  readonly needed: number;
}

function patience(neighbour: Neighbour, route: Route): Found {
  const { name, value, needed } = patienceOf(neighbour, route);
  const seconds = secondsOf(value) ?? 0;
  const says = `${neighbour.dir}: ${name} = ${value}`;
  if (seconds >= needed) return ok(`${says} waits for an upload`);
  const message = `${says} may be shorter than an upload: it gives up while we store and deliver, and sends the message again`;
  return (seconds < shortSeconds ? fail : warn)(message, `set ${name} = ${needed}s`);
}

function patienceOf(neighbour: Neighbour, route: Route): Patience {
  switch (route.kind) {
    case 'smtpd_proxy_filter': {
      const name = 'smtpd_proxy_timeout';
      return { name, value: (route.listener?.get ?? neighbour.get)(name), needed: finalDotSeconds };
    }
    case 'smtpd_milters': {
      // We answer within 285 s, so that this one never runs out.
      const name = 'milter_content_timeout';
      return { name, value: (route.listener?.get ?? neighbour.get)(name), needed: shortSeconds };
    }
    case 'relayhost':
    case 'content_filter': {
      const name = `${carrierPrefix(neighbour, route)}_data_done_timeout`;
      return { name, value: carrierValue(neighbour, route)(name), needed: finalDotSeconds };
    }
    default:
      return route.kind satisfies never;
  }
}

/** A next hop that hangs up before we do costs a new session for each message. */
function idle({ dir, fromUs, get }: Neighbour, { config: { outbound } }: Context): Found {
  const value = fromUs[0]?.get('smtpd_timeout') ?? get('smtpd_timeout');
  const seconds = secondsOf(value);
  const ours = Math.round(outbound.idleTimeout / 1000);
  if (seconds === undefined || seconds > ours) return ok(`${dir}: smtpd_timeout = ${value} is longer than ours`);
  return warn(
    `${dir}: smtpd_timeout = ${value} ends our idle sessions before outbound.idleTimeout (${ours} s)`,
    `set smtpd_timeout = 300s there, or outbound.idleTimeout below it`,
  );
}
