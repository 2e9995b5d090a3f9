/**
 * All that is used of nodemailer: it opens a session (greeting, EHLO, STARTTLS, AUTH) on a connected socket. Then the
 * socket is taken over, for a transaction of our own: the library can only send whole messages.
 *
 * That takes members that are private to the library, so its version is pinned, and `library.test.ts` checks each of
 * them. No other file touches them.
 */
import { Socket } from 'node:net';
import SMTPConnection from 'nodemailer/lib/smtp-connection';

/** The events of the socket that the library listens to, with the private names of its listeners. */
export const privateListeners = [
  ['data', '_onSocketData'],
  ['error', '_onSocketError'],
  ['close', '_onSocketClose'],
  ['end', '_onSocketEnd'],
  ['timeout', '_onSocketTimeout'],
] as const;

/** The private fields of the library that are used below. */
export const privateFields = ['_socket', 'lastServerResponse', 'upgrading'] as const;

export class LibraryConnection extends SMTPConnection {
  /** What the next hop said last, code and line separators included. */
  get lastReply(): string {
    return String(this.lastServerResponse);
  }

  /** From the moment STARTTLS is accepted. */
  get tlsBegun(): boolean {
    return this.upgrading === true || this.secure;
  }

  /** Removes the library from the socket, by name: TLS has listeners of its own there, which must stay. */
  takeOver(connected: Socket): Socket {
    const socket = this._socket instanceof Socket ? this._socket : connected;
    socket.setTimeout(0);
    for (const [event, name] of privateListeners) {
      const listener: unknown = Reflect.get(this, name);
      if (typeof listener !== 'function') throw new Error(`this version of nodemailer has no ${name}`);
      socket.removeListener(event, listener as () => void);
    }
    return socket;
  }
}
