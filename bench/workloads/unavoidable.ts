/**
 * The work that every program must do to take a file out of a message, each part measured alone, in Node, on the same
 * bytes: read the message from a socket, decode the base64 of the file, hash the file (SHA-256 for its name, MD5 for
 * storage), and write it to a socket.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { join } from 'node:path';
import { freePort } from '../../test/harness/ports.ts';
import { Child } from '../load/child.ts';
import { waitForPort } from '../load/wait-for-port.ts';
import type { Bench } from './workload.ts';

/** As much as a processor's second cache holds: larger blocks decode at a quarter of the speed. */
const step = 57 * 840;
const encodedStep = 78 * 840;
const received = Buffer.alloc(64 * 1024);

interface Load {
  readonly situation: string;
  readonly size: number;
  readonly count: number;
}

export async function measureUnavoidable(bench: Bench, { situation, size, count }: Load): Promise<void> {
  bench.progress(`unavoidable parts: ${situation}`);
  const file = randomBytes(Math.ceil(size / step) * step);
  const message = encode(file);
  const { port, stop } = await startPipePeer();
  try {
    const parts = {
      'reading the socket': await cost(() => receive(port, count * message.length)),
      'decoding base64': await cost(() => repeat(count, () => decode(message, file))),
      'SHA-256': await cost(() => repeat(count, () => hash('sha256', file))),
      'MD5 for storage': await cost(() => repeat(count, () => hash('md5', file))),
      'writing the socket': await cost(() => send(port, file, count)),
    };
    const gigabytes = (count * file.length) / 1e9;
    const sum = { wall: 0, cpu: 0 };
    for (const [peer, { wall, cpu }] of Object.entries(parts)) {
      sum.wall += wall;
      sum.cpu += cpu;
      bench.record({ work: 'parts', situation, peer, metric: 'MB/s', value: (gigabytes * 1000) / wall });
      bench.record({ work: 'parts', situation, peer, metric: 'CPU s/GB', value: cpu / gigabytes });
    }
    const base = { work: 'detaching', situation, peer: unavoidable };
    bench.record({ ...base, metric: 'MB/s', value: (gigabytes * 1000) / sum.wall });
    bench.record({ ...base, metric: 'CPU s/GB', value: sum.cpu / gigabytes });
  } finally {
    await stop();
  }
}

export const unavoidable = 'unavoidable parts';

async function cost(work: () => unknown): Promise<{ wall: number; cpu: number }> {
  const cpu = process.cpuUsage();
  const start = process.hrtime.bigint();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { wall: Number(process.hrtime.bigint() - start) / 1e9, cpu: (user + system) / 1e6 };
}

function encode(file: Buffer): Buffer {
  const message = Buffer.alloc((file.length / step) * encodedStep);
  for (let at = 0; at < file.length; at += step) {
    const lines = file.toString('base64', at, at + step).replace(/.{76}/g, '$&\r\n');
    message.write(lines, (at / step) * encodedStep, 'latin1');
  }
  return message;
}

/** The fastest decoder in Node. */
function decode(message: Buffer, into: Buffer): void {
  for (let from = 0, at = 0; from < message.length; from += encodedStep, at += step)
    into.write(message.toString('latin1', from, from + encodedStep), at, step, 'base64');
}

function hash(algorithm: 'sha256' | 'md5', file: Buffer): void {
  const made = createHash(algorithm);
  for (let at = 0; at < file.length; at += step) made.update(file.subarray(at, at + step));
  made.digest();
}

function repeat(times: number, work: () => unknown): void {
  for (let i = 0; i < times; i++) work();
}

/**
 * Always reads into the same buffer: new memory for each read costs up to three times as much, and varies at random.
 */
async function receive(port: number, bytes: number): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', onread: { buffer: received, callback: () => true } });
  socket.write(`send ${bytes}`);
  await once(socket, 'close');
}

async function send(port: number, file: Buffer, count: number): Promise<void> {
  const socket: Socket = connect(port, '127.0.0.1');
  socket.write('take');
  await once(socket, 'connect');
  for (let left = count; left > 0; left--) {
    for (let at = 0; at < file.length; at += step) {
      if (!socket.write(file.subarray(at, at + step))) await once(socket, 'drain');
    }
  }
  socket.end().resume();
  await once(socket, 'close');
}

async function startPipePeer(): Promise<{ port: number; stop: () => Promise<void> }> {
  const port = await freePort();
  const script = join(import.meta.dirname, '../load/pipe-peer.ts');
  const child = new Child([process.execPath, '--import', 'tsx', script, String(port)]);
  await waitForPort(port);
  return { port, stop: () => child.stop() };
}
