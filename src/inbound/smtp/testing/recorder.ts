import type { PathCommand } from '../../../smtp/command.ts';
import { Failure, failureReply } from '../../../smtp/failures.ts';
import type { Reply } from '../../../smtp/reply.ts';
import type { Client, Sent, Transactions } from '../../interface.ts';

/** The other side of the door: remembers what came through, answers what it is told to. */
export class Recorder implements Transactions {
  readonly heard: string[] = [];
  readonly messages: string[] = [];
  readonly clients: Client[] = [];
  replies: readonly Reply[] = [{ code: 250, lines: ['2.0.0 Ok: queued as ABC'] }];
  mailReply: Reply = { code: 250, lines: ['2.1.0 Fine', 'two lines'] };
  /** How many RCPTs came at a time. */
  readonly together: number[] = [];
  closed = false;
  beforeReply: () => Promise<void> = () => Promise.resolve();
  /** Answers before the message was read. */
  hasty = false;

  mail(command: PathCommand, { client, rcpts }: Sent): Promise<readonly Reply[]> {
    this.heard.push(['MAIL', command.path, ...command.params].join(' '));
    this.clients.push(client);
    const reply = this.mailReply;
    return Promise.resolve([reply, ...this.#verdicts(rcpts)]);
  }
  rcpt(commands: readonly PathCommand[]): Promise<readonly Reply[]> {
    return Promise.resolve(this.#verdicts(commands));
  }
  #verdicts(commands: readonly PathCommand[]): Reply[] {
    if (commands.length > 0) this.together.push(commands.length);
    return commands.map(({ path, params }) => {
      this.heard.push(['RCPT', path, ...params].join(' '));
      return path.includes('nobody')
        ? { code: 550, lines: ['5.1.1 <nobody>: no'] }
        : { code: 250, lines: ['2.1.5 Ok'] };
    });
  }
  refuseData(): Reply | undefined {
    return this.heard.some((line) => line.startsWith('RCPT')) ? undefined : failureReply('noRecipients');
  }
  async data(body: AsyncIterable<Buffer>): Promise<readonly Reply[]> {
    if (this.hasty) throw new Failure('spoolFull');
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(chunk);
    this.messages.push(Buffer.concat(chunks).toString('latin1'));
    await this.beforeReply();
    return this.replies;
  }
  reset(): void {
    this.heard.push('reset');
  }
  close(): void {
    this.closed = true;
  }
}
