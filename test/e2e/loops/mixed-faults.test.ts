import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stuff } from '../../harness/dot-stuffing.ts';
import { Scenario } from '../../harness/scenario.ts';
import { sendMail, type SendOptions } from '../../harness/send-mail.ts';
import { startSink, type Sink, type SinkAnswer, type SinkEvent } from '../../harness/sink.ts';
import { SmtpDialog } from '../../harness/smtp-dialog.ts';
import { waitFor } from '../../harness/wait.ts';
import { fresh, lettersAt, looping, reportsAt, returnedLetter, sender } from './mixed-letter.ts';
import * as topology from './topology.ts';

type Whose = 'letter' | 'report';
type Stage = SinkEvent['stage'];

/** Finds a step of a mixed message at the next hop: of the letter’s second envelope, or of the report. */
class Watch {
  readonly #sessions = new Map<number, { whose: Whose; envelopes: number }>();

  step({ stage, line, session }: SinkEvent): { whose: Whose; stage: Stage; again: boolean } {
    const known = this.#sessions.get(session) ?? { whose: 'letter', envelopes: 0 };
    if (stage === 'mail') {
      known.whose = line.startsWith('MAIL FROM:<>') ? 'report' : 'letter';
      known.envelopes += 1;
    }
    this.#sessions.set(session, known);
    return { whose: known.whose, stage, again: known.envelopes > 1 };
  }
}

/** At a step, once or as long as it lasts, the next hop answers this. */
function faulty(whose: Whose, at: Stage, answer: SinkAnswer): Sink['answer'] {
  const watch = new Watch();
  return (event) => {
    const step = watch.step(event);
    if (step.whose !== whose || step.stage !== at) return undefined;
    // The envelope as it was before anybody knew of the loop is not what this is about.
    return whose === 'report' || step.again || at === 'rset' || at === 'data' || at === 'message' ? answer : undefined;
  };
}

const faults = ['451 4.3.0 later', '554 5.7.1 no', 'close', 'reset'] as const;
const steps: readonly (readonly [Whose, Stage])[] = [
  ['letter', 'rset'],
  ['letter', 'mail'],
  ['letter', 'rcpt'],
  ['report', 'mail'],
  ['report', 'rcpt'],
  ['report', 'data'],
  ['letter', 'data'],
  ['letter', 'message'],
  ['report', 'message'],
];

test('letter and report stand or fall together, whatever the next hop answers', async (t) => {
  const scenario = new Scenario(t);
  const world = await scenario.use(startSink());
  const filter = await topology.startFilter(scenario, { nextHop: world.port });
  const taken = (): readonly [letters: number, reports: number] => [lettersAt(world).length, reportsAt(world).length];

  for (const [whose, stage] of steps) {
    for (const fault of faults) {
      await t.test(`${whose}, ${stage}: ${fault}`, async () => {
        world.answer = () => undefined;
        world.dropSessions();
        const message = await returnedLetter(filter, world);
        const mixed: SendOptions = { port: filter.port, from: sender, to: [...looping, fresh], message };
        world.answer = faulty(whose, stage, fault);
        const { final } = await sendMail(mixed);
        const [reply] = final;
        assert.ok(reply);
        const after = taken();
        if (reply.code === 250) {
          assert.deepEqual(after, [1, 1]);
          assert.equal(whose, 'letter', 'only a session that was replaced goes unnoticed');
        } else if (whose === 'report' && stage === 'message') {
          // The one gap: the letter is accepted and the report is not. Nothing is lost, but there is a second copy. A
          // report that is refused permanently would cost a copy at every try.
          assert.match(reply.text, fault.startsWith('5') ? /^554 5\.4\.6 / : /^451 4\.4\.0 /);
          assert.deepEqual(after, [1, 0]);
        } else {
          assert.deepEqual(after, [0, 0], 'both fall');
          const passedOn = whose === 'letter' && (stage === 'data' || stage === 'message') && /^\d/.test(fault);
          assert.equal(reply.text.slice(0, 3), passedOn ? fault.slice(0, 3) : '451');
        }
        if (reply.code === 250 || reply.code >= 500) return;
        world.answer = () => undefined;
        const again = await sendMail(mixed);
        assert.equal(again.final[0]?.code, 250);
        assert.deepEqual(taken(), [after[0] + 1, 1]);
        assert.deepEqual(lettersAt(world)[0]?.to, [fresh]);
        world.messages.length = 0;
      });
      world.messages.length = 0;
    }
  }
});

test('a large letter outlasts the patience of the next hop with the session of the report: nobody notices', async (t) => {
  const scenario = new Scenario(t);
  const world = await scenario.use(startSink());
  const filter = await topology.startFilter(scenario, { nextHop: world.port });
  const message = await returnedLetter(filter, world);
  const timeout = faulty('report', 'data', 'close');
  let closed = false;
  world.answer = async (event) => {
    // Postfix waits 300 s for a command, 10 s under stress. A session in DATA could not be replaced after that.
    const answer = closed ? undefined : await timeout(event);
    closed ||= answer !== undefined;
    return answer;
  };
  const sent = await sendMail({ port: filter.port, from: sender, to: [...looping, fresh], message });
  assert.equal(sent.final[0]?.code, 250);
  assert.ok(closed);
  assert.deepEqual([lettersAt(world).length, reportsAt(world).length], [1, 1]);
  const said = world.lines.filter((line) => line === 'DATA' || line.startsWith('MAIL FROM:<>'));
  assert.deepEqual(said, ['DATA', 'MAIL FROM:<>', 'DATA', 'DATA', 'MAIL FROM:<>', 'DATA'], 'the report’s DATA is last');
});

test('letter and report stand or fall together when the client goes', async (t) => {
  const scenario = new Scenario(t);
  const world = await scenario.use(startSink());
  const filter = await topology.startFilter(scenario, { nextHop: world.port });
  for (const [whose, stage] of steps) {
    await t.test(`while the next hop takes its time: ${whose}, ${stage}`, async () => {
      world.answer = () => undefined;
      world.dropSessions();
      const message = await returnedLetter(filter, world);
      const closed = topology.transactions(filter).length;
      let go = (): void => undefined;
      const gone = new Promise<void>((resolve) => (go = resolve));
      let reached = false;
      const at = faulty(whose, stage, 'here');
      world.answer = async (event) => {
        if ((await at(event)) === undefined || reached) return undefined;
        reached = true;
        await gone;
        return undefined;
      };
      const dialog = await SmtpDialog.open(filter.port);
      await dialog.expect(250, 'EHLO client.example.net');
      await dialog.expect(250, `MAIL FROM:<${sender}>`);
      for (const path of [...looping, fresh]) await dialog.expect(250, `RCPT TO:<${path}>`);
      await dialog.expect(354, 'DATA');
      await dialog.write(Buffer.concat([stuff(message), Buffer.from('.\r\n')]));
      await waitFor(() => reached, { what: 'the step', detail: () => world.lines.slice(-20).join('\n') });
      dialog.abort();
      await waitFor(async () => (await filter.metrics()).text.includes('\ndetach_mta_clients 0\n'), {
        what: 'the filter to hear of it',
      });
      go();
      await waitFor(() => topology.transactions(filter).length > closed, {
        what: 'the end of the transaction',
        detail: () => filter.describe(),
      });
      // A final dot that was sent cannot be revoked; nothing after it is done.
      const [letters, reports] = stage !== 'message' ? [0, 0] : whose === 'letter' ? [1, 0] : [1, 1];
      await waitFor(() => world.messages.length >= letters + reports, { what: 'the next hop to have taken it' });
      assert.deepEqual([lettersAt(world).length, reportsAt(world).length], [letters, reports]);
      world.answer = () => undefined;
      const again = await sendMail({ port: filter.port, from: sender, to: [...looping, fresh], message });
      assert.equal(again.final[0]?.code, 250);
      assert.equal(lettersAt(world).length, letters + 1);
      assert.equal(reportsAt(world).length, reports + 1);
      world.messages.length = 0;
    });
  }
});
