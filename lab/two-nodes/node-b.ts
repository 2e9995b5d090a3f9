// Node B: Postfix B and Dovecot.
import { startBack } from '../back.ts';
import { usualPorts } from '../places.ts';
import { sayStarted } from '../round.ts';
import { nodeA, nodeB } from './network.ts';
import { obey } from './node.ts';

const [home = ''] = process.argv.slice(2);
const clients = `127.0.0.0/8 ${nodeA}/32 ${nodeB}/32`;
const back = await startBack({ home, ports: usualPorts, host: nodeB, clients, started: sayStarted });
obey(new Map(), () => back.stop());
