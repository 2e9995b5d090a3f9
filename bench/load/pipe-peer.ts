/** The other end of a socket. On `send` it writes the wanted bytes, on `take` it reads everything. */
import { once } from 'node:events';
import { type Socket, createServer } from 'node:net';

const block = Buffer.alloc(256 * 1024, 'A');

const server = createServer({ allowHalfOpen: true }, (socket) => {
  socket.once('data', (command: Buffer) => {
    const [verb, count] = command.toString('latin1').split(' ');
    if (verb === 'send') void send(socket, Number(count));
    else socket.on('data', () => undefined).once('end', () => socket.end());
  });
});
server.listen(Number(process.argv[2]), '127.0.0.1');

async function send(socket: Socket, count: number): Promise<void> {
  for (let left = count; left > 0; left -= block.length) {
    if (!socket.write(left < block.length ? block.subarray(0, left) : block)) await once(socket, 'drain');
  }
  socket.end();
}
