import assert from 'node:assert/strict';
import { SmtpDialog } from '../../../test/harness/smtp-dialog.ts';

/** The client of a dialog: what it says and must hear, line by line. */
export class DialogClient {
  readonly #dialog: SmtpDialog;
  readonly #messages: Readonly<Record<string, string>>;
  #unsent = '';
  #gone = false;

  /** After EHLO or LHLO. Messages by name, with LF. */
  constructor(dialog: SmtpDialog, messages: Readonly<Record<string, string>>) {
    this.#dialog = dialog;
    this.#messages = messages;
  }

  async step(verb: string, said: string): Promise<void> {
    switch (verb) {
      case '>':
      case '>>':
      case '>|':
        this.#unsent += this.#wire(verb, said);
        if (verb === '>>') return;
        await this.#dialog.write(this.#unsent);
        this.#unsent = '';
        return;
      case '<':
        assert.equal((await this.#dialog.read()).text, said);
        return;
      case 'leaves':
        this.#gone = true;
        await this.#dialog.stop();
        return;
      default:
        assert.fail(`no such step of a client: ${verb}`);
    }
  }

  /** Checks that nothing more was said to it. */
  async quit(): Promise<void> {
    if (!this.#gone && !this.#dialog.closed) await this.#dialog.expect(221, 'QUIT');
    await this.#dialog.stop();
  }

  #wire(verb: string, said: string): string {
    const name = /^\[(.*)\]$/.exec(said)?.[1];
    if (name === undefined) return `${said}\r\n`;
    const message = this.#messages[name];
    assert.ok(message !== undefined, `no message ${name}`);
    const lines = `${message}.\n`.split('\n');
    return (verb === '>|' ? `${lines.slice(0, -3).join('\n')}\n` : lines.join('\n')).replaceAll('\n', '\r\n');
  }
}
