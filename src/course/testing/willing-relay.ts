import { ownCalls } from '../../loopguard/testing/calls.ts';
import { guardWith } from '../../loopguard/testing/guard.ts';
import type { Session } from '../../outbound/interface.ts';
import { nextHopOptions } from '../../outbound/testing/options.ts';
import type { Reply } from '../../smtp/reply.ts';
import { Relay, type RelayOptions } from '../relay.ts';

const said = (code: number, text: string) => (): Promise<Reply> => Promise.resolve({ code, lines: [text] });
const ok = said(250, '2.0.0 ok');

const session: Session = {
  extensions: new Map(),
  peer: 'b',
  local: undefined,
  reused: false,
  alive: true,
  xforward: ok,
  mail: ok,
  rcpt: ok,
  envelope: async (_mail, rcpts) => Promise.all([ok(), ...rcpts.map(ok)]),
  data: said(354, 'go'),
  write: () => Promise.resolve(),
  finish: () => Promise.resolve([{ code: 250, lines: ['2.0.0 queued'] }]),
  rset: ok,
  release: () => undefined,
};

/** A relay with one message under way: MAIL and RCPT were accepted. Its next hop accepts everything. */
export async function willingRelay(options: Pick<RelayOptions, 'detacher' | 'log'>): Promise<Relay> {
  const relay = new Relay({
    hostname: 'detach.example',
    inboundProtocol: 'smtp',
    outboundProtocol: 'smtp',
    maxMessageSize: 1000,
    nextHop: {
      lastSeen: undefined,
      acquire: () => Promise.resolve(session),
      probe: () => Promise.resolve(true),
      close: () => Promise.resolve(),
    },
    guard: guardWith(),
    calls: ownCalls(),
    notify: () => undefined,
    meter: nextHopOptions([]).meter,
    policyClass: () => 'detach',
    ...options,
  });
  const client = { address: '192.0.2.1', helo: 'a.example', protocol: 'ESMTP', xforward: new Map<string, string>() };
  await relay.mail({ path: '<a@a.example>', params: [] }, { client, rcpts: [] });
  await relay.rcpt([{ path: '<b@b.example>', params: [] }]);
  return relay;
}
