import { HeaderBuilder } from './header-builder.ts';
import type { Command } from './commands.ts';
import type { MilterPath } from './interface.ts';
import { MilterLimitError } from './milter-error.ts';

/** Eight times Postfix's `smtpd_recipient_limit`. */
const maxRecipients = 8_000;

/** Bytes of all paths and parameters of one message. */
const maxEnvelopeBytes = 4 * 1024 * 1024;

/** What is known of a message before its body: grows command by command, within limits. */
export class OpenMessage {
  readonly mail: MilterPath;
  readonly recipients: MilterPath[] = [];
  readonly header: HeaderBuilder;
  readonly #maxHeaderBytes: number;
  #bytes: number;

  constructor(mail: MilterPath, maxHeaderBytes: number) {
    this.mail = mail;
    this.header = new HeaderBuilder(maxHeaderBytes);
    this.#maxHeaderBytes = maxHeaderBytes;
    this.#bytes = sizeOf(mail);
  }

  addRecipient(path: MilterPath): void {
    this.#bytes += sizeOf(path);
    if (!this.#tooMany) this.recipients.push(path);
  }

  addField({ name, value }: Extract<Command, { kind: 'header' }>, space: string): void {
    this.header.add(name, value, space);
  }

  /** Why a filter cannot be asked, if so. */
  get excess(): MilterLimitError | undefined {
    if (this.header.full) return new MilterLimitError('header', `header is larger than ${this.#maxHeaderBytes} bytes`);
    if (!this.#tooMany) return undefined;
    return new MilterLimitError('recipients', `more than ${maxRecipients} recipients or ${maxEnvelopeBytes} bytes`);
  }

  get #tooMany(): boolean {
    return this.#bytes > maxEnvelopeBytes || this.recipients.length >= maxRecipients;
  }
}

const sizeOf = ({ path, parameters }: MilterPath): number =>
  parameters.reduce((sum, parameter) => sum + parameter.length, path.length);
