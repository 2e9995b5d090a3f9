import { Cleanup } from '../../test/harness/cleanup.ts';
import { startDetach } from '../../test/harness/detach-mta.ts';
import { PlainFilter } from '../../test/harness/plain-filter.ts';
import { freePort } from '../../test/harness/ports.ts';
import { startPostfix } from '../../test/harness/postfix.ts';
import { buildMessage } from '../../test/harness/build-message.ts';
import { sendMail } from '../../test/harness/send-mail.ts';
import { waitFor } from '../../test/harness/wait.ts';
import type { LabChain } from '../chain.ts';
import { people } from '../people.ts';
import { sayChecks } from '../show.ts';
import { heading, row } from '../terminal.ts';

/** What stands behind a Postfix, and how often a message has passed it. */
interface Filter {
  readonly port: number;
  readonly passes: () => number;
}

/**
 * The loop that the first attempt died of: the filter hands mail back to the Postfix whose relayhost it is. Once with a
 * filter that has no guard, once with Detach MTA.
 */
export async function runLoops(chain: LabChain): Promise<boolean> {
  heading('The original mail loop: what comes back from the filter is relayed to the filter again');
  const bare = await circle(chain, 'no guard', async (target, parts) => {
    const filter = await parts.use(PlainFilter.start({ target }));
    return { port: filter.port, passes: () => filter.passes };
  });
  const guarded = await circle(chain, 'Detach MTA', async (target, parts) => {
    const detach = await parts.use(startDetach({ nextHop: target, storage: chain.storage.location }));
    const mine = (): number =>
      detach.events.filter((each) => each.event === 'transaction' && each['from'] !== '<>').length;
    return { port: detach.port, passes: mine };
  });
  return sayChecks([
    { what: 'without the guard it ends only at the hop limit of Postfix, after 49 rounds', ok: bare === 49 },
    { what: 'with it after one round, at the second arrival', ok: guarded === 2 },
  ]);
}

/** One Postfix with such a filter. @returns how often the letter was brought to the filter */
async function circle(
  chain: LabChain,
  name: string,
  start: (target: number, parts: Cleanup) => Promise<Filter>,
): Promise<number> {
  const parts = new Cleanup();
  try {
    const port = await freePort();
    const filter = await start(port, parts);
    const a = await parts.use(
      startPostfix({
        dir: 'postfix-a',
        ports: { smtp: port },
        settings: {
          myhostname: 'mail-loop.example.net',
          relayhost: `[127.0.0.1]:${filter.port}`,
          virtual_mailbox_domains: 'example.com',
          virtual_mailbox_maps: 'static:mailbox',
          virtual_transport: `lmtp:inet:127.0.0.1:${chain.ports.lmtp}`,
        },
      }),
    );
    const bounce = await bounceOf(chain, a.port);
    row(name, `${filter.passes()} times at the filter, then alice has a bounce:`);
    row('', bounce);
    return filter.passes();
  } finally {
    await parts.end();
  }
}

/** Sends a small letter into the circle. @returns the reason in the notification that its sender gets */
async function bounceOf({ dovecot }: LabChain, port: number): Promise<string> {
  const [alice, bob] = people;
  const before = dovecot.count(alice);
  const message = buildMessage({ from: alice, to: bob, subject: 'round and round' });
  await sendMail({ port, from: alice, to: [bob], message });
  await waitFor(() => dovecot.count(alice) > before, { what: 'the notification for alice' });
  const report =
    (await dovecot.fetch(alice))
      .at(-1)
      ?.toString('latin1')
      .replace(/\r\n[ \t]+/g, ' ') ?? '';
  return /^Diagnostic-Code: (.*)\r$/m.exec(report)?.[1] ?? 'no reason given';
}
