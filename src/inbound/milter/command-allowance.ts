import type { Command } from './commands.ts';
import { MilterError } from './milter-error.ts';

/**
 * Commands since the last message that came to its end. One session of Postfix has at most some 600 of them, since it
 * ends one with more than `smtpd_junk_command_limit` (100) and `smtpd_hard_error_limit` (20) commands that lead nowhere.
 */
const maxCommandsWithoutMessage = 1000;

/**
 * Bytes of a body that pay for one command of macros. Postfix says macros before each packet of a body (64 KiB): a message
 * of 65 MB has a thousand of them.
 */
const bytesPerMacros = 4096;

/** The end of a header counts as so many: the filter has begun to work on the message. */
const endOfHeaderCounts = 20;

/**
 * What a mail server may say that brings no message further. Each such command is short and costs many times what its
 * bytes would within a file.
 *
 * At the limit the connection is ended. Postfix then does with the messages of this one session what
 * `milter_default_action` says, by default it defers them, and opens a new connection for the next session.
 */
export class CommandAllowance {
  #used = 0;
  /** The command before was one of macros, which belong to the command that follows. */
  #afterMacros = false;

  /** @throws MilterError when there were too many */
  take(command: Command): void {
    const afterMacros = this.#afterMacros;
    this.#afterMacros = command.kind === 'macros';
    this.#used += this.#costOf(command, afterMacros);
    if (this.#used > maxCommandsWithoutMessage)
      throw new MilterError(`more than ${maxCommandsWithoutMessage} commands without a message`);
  }

  #costOf(command: Command, afterMacros: boolean): number {
    const { kind } = command;
    // Postfix says macros before each of them. How many there may be, other limits say.
    if (kind === 'rcpt' || kind === 'header' || kind === 'droppedHeader') return afterMacros ? -1 : 0;
    if (kind === 'body') return -Math.min(this.#used, command.bytes.length / bytesPerMacros);
    if (kind === 'endOfMessage') return -this.#used;
    return kind === 'endOfHeader' ? endOfHeaderCounts : 1;
  }
}
