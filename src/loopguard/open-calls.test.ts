import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Call } from './interface.ts';
import { OpenCalls, type CallQuestion } from './open-calls.ts';

const hostname = 'detach.example';
const callId = '5f1c0a9e2K';
const never = new AbortController().signal;
const mine: Call = { id: callId, session: { address: '127.0.0.1', port: 53836 } };

/** Processes of one service, each of which can ask the others. */
function processes(count: number): { all: readonly OpenCalls[]; questions: CallQuestion[] } {
  const questions: CallQuestion[] = [];
  const all: OpenCalls[] = [];
  for (let i = 0; i < count; i += 1) {
    const askOthers = (question: CallQuestion): Promise<boolean> => {
      questions.push(question);
      // As it arrives there.
      const copy = JSON.parse(JSON.stringify(question)) as CallQuestion;
      return Promise.resolve(all.some((other, at) => at !== i && other.isWaiting(copy)));
    };
    all.push(new OpenCalls({ hostname, askOthers, confirmMs: 5 }));
  }
  return { all, questions };
}

const attributes = (text: string): ReadonlyMap<string, string> =>
  new Map(text.split(' ').map((pair) => pair.split('=') as [string, string]));

const fromPostfix = 'NAME=localhost ADDR=127.0.0.1 PORT=53836 HELO=detach.example IDENT=[UNAVAILABLE] PROTO=ESMTP';

const cases: readonly (readonly [what: string, xforward: string, circle: boolean])[] = [
  ['our own session, before a queue', fromPostfix, true],
  ['our name in other letters', fromPostfix.replace('detach', 'DETACH'), true],
  ['an IPv4 address on a dual-stack socket', fromPostfix.replace('ADDR=', 'ADDR=IPv6:::ffff:'), true],
  ['no word of HELO and IDENT', 'ADDR=127.0.0.1 PORT=53836', true],
  ['our mark', `ADDR=192.0.2.9 PORT=4000 IDENT=${callId}`, true],
  [
    'our mark behind a queue id, and in front of that of another filter',
    `IDENT=4TqXyz1ABCz9rN.${callId}.0123abcd7`,
    true,
  ],
  ['another port', fromPostfix.replace('53836', '53837'), false],
  ['another address of this machine', fromPostfix.replace('127.0.0.1', '127.0.0.2'), false],
  ['another machine', fromPostfix.replace('127.0.0.1', '192.0.2.9'), false],
  ['another client with the port that we have', fromPostfix.replace('detach', 'webmail'), false],
  ['our own session, from a queue', fromPostfix.replace('[UNAVAILABLE]', '4TqXyz1ABCz9rN'), false],
  ['the mark of another transaction', 'IDENT=5f1c0a9e2L', false],
  ['an address that is not known', 'ADDR=[UNAVAILABLE] PORT=[UNAVAILABLE] HELO=detach.example', false],
  ['nothing', 'NAME=localhost', false],
];

for (const [what, xforward, circle] of cases) {
  test(`${what}: ${circle ? 'a circle' : 'none'}, in the same process and in another one`, async () => {
    const { all } = processes(3);
    all[0]!.begin(mine);
    for (const each of all) {
      const reason = await each.causeOf(attributes(xforward), never);
      assert.equal(reason !== undefined, circle, reason);
    }
  });
}

test('a call that was answered is over, also when the answer comes after the first question', async () => {
  const { all } = processes(2);
  const end = all[0]!.begin(mine);
  const asked = [all[0]!, all[1]!].map((each) => each.causeOf(attributes(fromPostfix), never));
  end();
  assert.deepEqual(await Promise.all(asked), [undefined, undefined]);
});

test('the next call on the same session is another one', async () => {
  const { all } = processes(2);
  const end = all[0]!.begin(mine);
  const asked = all[1]!.causeOf(attributes(fromPostfix), never);
  end();
  await new Promise(setImmediate);
  all[0]!.begin(mine);
  assert.equal(await asked, undefined);
});

test('the others are asked only about what can be ours', async () => {
  const { all, questions } = processes(2);
  for (const [, xforward, circle] of cases) if (!circle) await all[0]!.causeOf(attributes(xforward), never);
  assert.deepEqual(
    questions.map(({ session, marks }) => session ?? marks[0]),
    ['127.0.0.1 53837', '127.0.0.2 53836', '5f1c0a9e2L'],
  );
});

test('a client that leaves while it is looked at', async () => {
  const calls = new OpenCalls({ hostname, askOthers: () => Promise.resolve(false), confirmMs: 60_000 });
  calls.begin(mine);
  const gone = new AbortController();
  const asked = calls.causeOf(attributes(fromPostfix), gone.signal);
  const reason = new Error('gone');
  setImmediate(() => gone.abort(reason));
  await assert.rejects(asked, reason);
});

test('the mark stands behind what the client said, and the whole stays short', () => {
  const calls = new OpenCalls({ hostname, askOthers: () => Promise.resolve(false) });
  const ident = (said: string): string | undefined => calls.mark(new Map([['IDENT', said]]), callId).get('IDENT');
  assert.equal(calls.mark(new Map(), callId).get('IDENT'), callId);
  assert.equal(ident('[UNAVAILABLE]'), callId);
  assert.equal(ident('4TqXyz1ABCz9rN'), `4TqXyz1ABCz9rN.${callId}`);
  let all = '4TqXyz1ABCz9rN';
  for (let i = 0; i < 50; i += 1) all = ident(all) ?? '';
  assert.ok(all.length <= 120 && all.endsWith(`${callId}.${callId}`));
});
