import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after } from 'node:test';
import type { Fields, Log } from '../../../observe/interface.ts';
import { startInbound, type Inbound, type InboundOptions, type SmtpInbound } from '../server.ts';
import { Recorder } from './recorder.ts';

/** A front door for tests, on a free port of loopback. */
export const doorSettings: SmtpInbound = {
  address: '127.0.0.1',
  port: 0,
  protocol: 'smtp',
  trustedNetworks: ['127.0.0.0/8'],
  maxMessageSize: 1_000_000,
  maxClients: 10,
  maxClientsPerAddress: 10,
  tls: { mode: 'off', cert: undefined, key: undefined },
  xforwardHosts: [],
  proxyHosts: [],
};

const none = (): undefined => undefined;

type Line = Fields & { readonly event: string };

function recordLog(): { readonly log: Log; readonly lines: Line[] } {
  const lines: Line[] = [];
  const write = (event: string, fields: Fields = {}): void => void lines.push({ event, ...fields });
  return { log: { debug: none, info: write, warn: write, error: write }, lines };
}
const running: Inbound[] = [];
after(async () => {
  for (const inbound of running) await inbound.close({ hurry: AbortSignal.abort(), deadline: AbortSignal.abort() });
});

export async function openDoor(
  overrides: Partial<SmtpInbound> = {},
  timing: Pick<InboundOptions, 'handshakeMs'> = {},
): Promise<{ relay: Recorder; port: number; inbound: Inbound; lines: Line[] }> {
  const relay = new Recorder();
  const { log, lines } = recordLog();
  const inbound = await startInbound({
    hostname: 'detach.example',
    inbound: { ...doorSettings, ...overrides },
    offers: { extensions: () => ['8BITMIME', 'XDETACH abc'] },
    log,
    meter: { clients: none },
    open: () => relay,
    ...timing,
  });
  running.push(inbound);
  return { relay, port: inbound.port, inbound, lines };
}

/** Sends it all at once and reads until the server hangs up. */
export async function converse(port: number, wire: string): Promise<string[]> {
  const socket = connect(port, '127.0.0.1');
  socket.write(wire, 'latin1');
  return readAll(socket);
}

export async function readAll(socket: Socket): Promise<string[]> {
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
  await once(socket, 'close');
  return text.split('\r\n').slice(0, -1);
}
