// Node A: Postfix A, Detach MTA and its storage. Reads the mailboxes over the cable, as a reader would.
import { join } from 'node:path';
import { DovecotInstance } from '../../test/harness/dovecot.ts';
import { startFront } from '../front.ts';
import { usualPorts } from '../places.ts';
import { sayStarted, sendSample } from '../round.ts';
import { nodeB } from './network.ts';
import { obey } from './node.ts';
import { Outage } from './outage.ts';

const [home = ''] = process.argv.slice(2);
const ports = usualPorts;
const nextHop = `${nodeB}:${ports.postfixB}`;
// Short timeouts: after the cable was pulled, the usual ones of RFC 5321 would wait for minutes.
const front = await startFront({ home, ports, storage: 'azurite', nextHop, idleTimeout: '1s', started: sayStarted });
const dovecot = new DovecotInstance(join(home, 'dovecot'), ports, { host: nodeB });
const view = { ...front, ports, dovecot };
const outage = new Outage(view);
const words = new Map([
  ['sample', () => sendSample(view)],
  ['wait until idle', () => outage.waitUntilIdle()],
  ['send during outage', () => outage.send()],
  ['after outage', () => outage.over()],
]);
obey(words, () => front.stop());
