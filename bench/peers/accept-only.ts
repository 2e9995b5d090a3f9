/**
 * A Milter that only accepts. It negotiates the same events as Detach MTA, and reacts only to the ends of messages. The
 * difference to it is what the filter itself costs, without the protocol.
 */
import { createServer, type Socket } from 'node:net';
import { actionBit, commandByte, protocolVersion, replyByte, stepBit } from '../../src/inbound/milter/protocol.ts';

const lengthBytes = 4;

const sum = (flags: Readonly<Record<string, number>>): number =>
  Object.values(flags).reduce((all, one) => all | one, 0);

function packet(letter: string, ...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(lengthBytes + 1 + 4 * numbers.length);
  bytes.writeUInt32BE(bytes.length - lengthBytes);
  bytes.write(letter, lengthBytes, 'latin1');
  numbers.forEach((number, i) => bytes.writeUInt32BE(number, lengthBytes + 1 + 4 * i));
  return bytes;
}

const negotiated = packet(replyByte.negotiate, protocolVersion, sum(actionBit), sum(stepBit));
const goOn = packet(replyByte.continue);

function serve(socket: Socket): void {
  let rest = Buffer.alloc(0);
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length > lengthBytes) {
      const end = lengthBytes + rest.readUInt32BE();
      if (rest.length < end) return;
      const letter = String.fromCharCode(rest[lengthBytes]!);
      if (letter === commandByte.negotiate) socket.write(negotiated);
      else if (letter === commandByte.endOfMessage) socket.write(goOn);
      else if (letter === commandByte.quit) socket.end();
      rest = rest.subarray(end);
    }
  });
}

createServer({ noDelay: true }, serve).listen(Number(process.argv[2]), '127.0.0.1');
