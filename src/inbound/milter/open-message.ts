import type { MessageRoom } from '../../limits/message-room.ts';
import { HeaderBuilder, type HeaderLimits } from './header-builder.ts';
import { parsePath } from './commands.ts';
import type { MilterCrowd, MilterPath } from './interface.ts';
import { MilterLimitError } from './milter-error.ts';
import { countPackets, lengthBytes } from './packets.ts';

/**
 * Eight times Postfix's `smtpd_recipient_limit`. A message with more passes whole: a refusal would be final, since only
 * the client could send it in several parts.
 */
const maxRecipients = 8_000;

/** Bytes of all paths and parameters of one message: with their copies less than the room of all messages. */
const maxEnvelopeBytes = 2 * 1024 * 1024;

/** What a recipient takes in memory beside its bytes, and how often there are these: as said, and as a mailbox. */
const recipientBytes = 128;
const envelopeCopies = 2;

export interface OpenMessageOptions {
  readonly limits: HeaderLimits;
  readonly room: MessageRoom;
}

/** What is known of a message before its body: grows command by command, within limits and the room that there is. */
export class OpenMessage {
  readonly mail: MilterPath;
  readonly header: HeaderBuilder;
  /** Belongs to the filter as soon as it is asked. */
  readonly room: MessageRoom;
  readonly #limits: HeaderLimits;
  #recipients: MilterPath[] = [];
  #recipientCount = 0;
  #envelopeBytes: number;
  #refusal: { readonly error: unknown } | undefined;

  constructor(mail: MilterPath, { limits, room }: OpenMessageOptions) {
    this.mail = mail;
    this.room = room;
    this.header = new HeaderBuilder(limits);
    this.#limits = limits;
    this.#envelopeBytes = sizeOf(mail);
  }

  get recipients(): readonly MilterPath[] {
    return this.#recipients;
  }

  /**
   * To be called before these recipients are added.
   * @returns a promise where other processes are asked for room
   */
  makeRoomForRecipients(packets: Buffer): void | Promise<void> {
    if (this.#isCrowd) return;
    return this.makeRoom(packets.length * envelopeCopies + countPackets(packets) * recipientBytes);
  }

  /**
   * @returns how many there are
   * @throws MilterError for one that is cut short
   */
  addRecipients(packets: Buffer): number {
    let count = 0;
    for (let at = 0; at < packets.length; count++) {
      const start = at + lengthBytes + 1;
      at += lengthBytes + packets.readUInt32BE(at);
      this.#recipientCount += 1;
      if (this.#isCrowd || this.#refusal) continue;
      this.#envelopeBytes += at - start;
      this.#recipients.push(parsePath(packets.subarray(start, at), 'rcpt'));
    }
    return count;
  }

  /**
   * To be called before these fields are added: the headers of all messages that are refused would be in memory otherwise.
   * @returns a promise where other processes are asked for room
   */
  makeRoomFor(packets: Buffer): void | Promise<void> {
    return this.makeRoom(this.header.growth(packets.length));
  }

  /**
   * `space`: what the server took away behind the colon.
   * @returns how many there are
   * @throws MilterError for a field that is cut short
   */
  addFields(packets: Buffer, space: '' | ' '): number {
    return this.header.add(packets, space);
  }

  /**
   * Takes room for what there is and for so many bytes that are on their way. When there is none, the message is refused
   * at its end, and nothing of it is kept.
   */
  makeRoom(coming: number): void | Promise<void> {
    if (this.#refusal) return;
    const envelope = this.#envelopeBytes * envelopeCopies + this.#recipients.length * recipientBytes;
    const size = envelope + this.header.size + coming;
    try {
      return this.room.grow(size)?.catch(this.#refuse);
    } catch (error) {
      this.#refuse(error);
    }
  }

  get crowd(): MilterCrowd | undefined {
    if (!this.#isCrowd) return undefined;
    const reason = `more than ${maxRecipients} recipients or ${maxEnvelopeBytes} bytes of envelope`;
    return { recipientCount: this.#recipientCount, reason };
  }

  /** Why a filter cannot be asked, if so. */
  get excess(): { readonly error: unknown } | undefined {
    if (this.#refusal) return this.#refusal;
    const { maxHeaderBytes, maxHeaderFields } = this.#limits;
    if (this.header.full) {
      const reason = `header is larger than ${maxHeaderBytes} bytes or has more than ${maxHeaderFields} fields`;
      return { error: new MilterLimitError(reason) };
    }
    return undefined;
  }

  readonly #refuse = (error: unknown): void => {
    this.#refusal = { error };
    this.#recipients = [];
    this.header.drop();
    this.room.release();
  };

  get #isCrowd(): boolean {
    return this.#recipientCount > maxRecipients || this.#envelopeBytes > maxEnvelopeBytes;
  }
}

const sizeOf = ({ path, parameters }: MilterPath): number =>
  parameters.reduce((sum, parameter) => sum + parameter.length, path.length);
