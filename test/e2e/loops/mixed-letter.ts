import type { DetachInstance } from '../../harness/detach-mta.ts';
import { buildMessage } from '../../harness/build-message.ts';
import { sendMail } from '../../harness/send-mail.ts';
import type { Sink, SinkMessage } from '../../harness/sink.ts';

export const sender = 'alice@a.example';
export const looping = ['u1@far.example', 'u2@far.example'] as const;
export const fresh = 'u3@far.example';

/** What makes the body of the letter known again: the report returns the header alone. */
export const body = 'the letter itself';
export const end = 'the end of it';
/** Enough to be sent on before the final dot. */
const text = `${body}\n${`${'x'.repeat(70)}\n`.repeat(2000)}${end}\n`;

/**
 * A letter that came back from the next hop for the two that it was passed on for. Sent to them and one more, it is a
 * mixed message. The sink has forgotten it.
 */
export async function returnedLetter(filter: DetachInstance, sink: Sink, from: string = sender): Promise<Buffer> {
  const message = buildMessage({ from: sender, to: looping, text });
  const sent = await sendMail({ port: filter.port, from, to: looping, message });
  const [received] = sink.messages.splice(0);
  if (!received) throw new Error(`not passed on: ${JSON.stringify(sent)}`);
  return received.data;
}

/** What a sink took responsibility for. */
export const lettersAt = (sink: Sink): readonly SinkMessage[] => sink.messages.filter(({ from }) => from !== '');
export const reportsAt = (sink: Sink): readonly SinkMessage[] => sink.messages.filter(({ from }) => from === '');
