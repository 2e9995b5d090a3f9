/**
 * Keys are rotated on two replicas with a clock that is moved over the 14 days, step by step as docs/upkeep.md has it
 * ("Rotate keys"). In each step mail from all steps before comes back, is passed on, restored, looked for and read.
 */
import assert from 'node:assert/strict';
import { randomBytes as freshBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse, stringify } from 'yaml';
import { buildMessage } from '../harness/build-message.ts';
import { command } from '../harness/command.ts';
import { prepareDetach, type ConfigTree, type DetachInstance } from '../harness/detach-mta.ts';
import { FakeClock } from '../harness/fake-clock.ts';
import { startPostfix, type PostfixInstance } from '../harness/postfix.ts';
import { randomBytes } from '../harness/random.ts';
import { restore } from '../harness/restore.ts';
import { Scenario } from '../harness/scenario.ts';
import { sendMail } from '../harness/send-mail.ts';
import { type Sink, startSink } from '../harness/sink.ts';
import { waitFor } from '../harness/wait.ts';
import { closedDirectory, linkIn, withoutTrace } from './chain.ts';

const hour = 3600;
const day = 24 * hour;
const from = 'alice@example.com';

/** Lines of both files with secrets, the first one signs and writes. */
type Keys = readonly ('old' | 'new')[];

interface Step {
  readonly what: string;
  /** Of the first and of the second replica. */
  readonly keys: readonly [Keys, Keys];
  /** Seconds ahead of the real time. */
  readonly clock: number;
}

/** What docs/upkeep.md says, with a moment between the replicas in each step. */
const steps: readonly Step[] = [
  { what: 'before', keys: [['old'], ['old']], clock: 0 },
  { what: 'behind, first replica', keys: [['old', 'new'], ['old']], clock: 0 },
  {
    what: 'behind',
    keys: [
      ['old', 'new'],
      ['old', 'new'],
    ],
    clock: hour,
  },
  {
    what: 'in front, first replica',
    keys: [
      ['new', 'old'],
      ['old', 'new'],
    ],
    clock: 2 * hour,
  },
  {
    what: 'in front',
    keys: [
      ['new', 'old'],
      ['new', 'old'],
    ],
    clock: 2 * hour,
  },
  {
    what: 'shortly before the 14 days',
    keys: [
      ['new', 'old'],
      ['new', 'old'],
    ],
    clock: 14 * day - hour,
  },
  {
    what: 'after the 14 days',
    keys: [
      ['new', 'old'],
      ['new', 'old'],
    ],
    clock: 14 * day + 3 * hour,
  },
  { what: 'taken out, first replica', keys: [['new'], ['new', 'old']], clock: 14 * day + 3 * hour },
  { what: 'taken out', keys: [['new'], ['new']], clock: 14 * day + 3 * hour },
];

/** A message of a step, as it was delivered. */
interface Sent {
  readonly step: Step;
  readonly to: string;
  readonly messageId: string;
  readonly original: Buffer;
  readonly delivered: Buffer;
}

const secrets = { old: freshBytes(32).toString('base64'), new: freshBytes(32).toString('base64') };
const guardKeys = { old: `k1:${secrets.old}`, new: `k2:${secrets.new}` };

class Replica {
  readonly detach: DetachInstance;
  #keys = 'old';

  constructor(detach: DetachInstance) {
    this.detach = detach;
    const { loopguard, links, ...others } = parse(readFileSync(detach.configFile, 'utf8')) as Record<
      string,
      ConfigTree
    >;
    const files = {
      loopguard: { cluster: loopguard!['cluster'], keysFile: this.file('loopguard.keys') },
      links: { ...links, secretFile: this.file('links.secret') },
    };
    delete (files.links as Record<string, unknown>)['secret'];
    writeFileSync(detach.configFile, stringify({ ...others, ...files }), { mode: 0o600 });
    this.write(['old'], ['old']);
  }

  file(name: string): string {
    return join(this.detach.home, name);
  }

  write(guard: Keys, links: Keys): void {
    writeFileSync(this.file('loopguard.keys'), guard.map((key) => `${guardKeys[key]}\n`).join(''), { mode: 0o600 });
    writeFileSync(this.file('links.secret'), links.map((key) => `${secrets[key]}\n`).join(''), { mode: 0o600 });
  }

  /** The old secret of links stays: the mail from before is to be found. */
  async rotate(keys: Keys): Promise<void> {
    if (keys.join() === this.#keys) return;
    this.#keys = keys.join();
    const since = this.detach.events.length;
    this.write(keys, keys.length === 1 && keys[0] === 'new' ? ['new', 'old'] : keys);
    this.detach.signal('SIGHUP');
    await this.detach.waitForEvent('reloaded', undefined, { since });
  }
}

interface Site {
  readonly replicas: readonly [Replica, Replica];
  readonly sink: Sink;
  readonly a: PostfixInstance;
  readonly clock: FakeClock;
}

const letter = (to: string, subject: string): Buffer =>
  buildMessage({
    ...{ from, to, subject, text: 'see there\n' },
    attachments: [{ name: 'plan.pdf', type: 'application/pdf', content: randomBytes(150_000, subject) }],
  });

const idOf = (message: Buffer): string => /^Message-ID: *(\S+)/im.exec(message.toString('latin1'))![1]!;

/** Sends through a replica and returns what came out. */
async function send({ sink, replicas }: Site, which: 0 | 1, step: Step): Promise<Sent> {
  const to = `step-${steps.indexOf(step)}-${which}@example.org`;
  const original = letter(to, `${step.what} ${which}`);
  const { final } = await sendMail({ port: replicas[which].detach.port, from, to: [to], message: original });
  assert.equal(final[0]?.code, 250);
  const delivered = sink.messages.at(-1)!.data;
  return { step, to, messageId: idOf(original), original, delivered };
}

/** What a mailbox has of a message that came back: a stamp that is read must refuse it, and none may refuse a forward. */
async function comesBack({ replicas, sink }: Site, sent: Sent, now: Step): Promise<void> {
  const age = now.clock - sent.step.clock;
  for (const { detach } of replicas) {
    const where = `${sent.step.what} came back in: ${now.what}`;
    const forward = await sendMail({ port: detach.port, from, to: ['else@example.net'], message: sent.delivered });
    assert.equal(forward.final[0]?.code, 250, where);
    if (age > 14 * day) continue;
    const had = sink.messages.length;
    const { final } = await sendMail({ port: detach.port, from, to: [sent.to], message: sent.delivered });
    assert.match(final[0]?.text ?? '', /^554 5\.4\.6 /, where);
    assert.equal(sink.messages.length, had);
  }
}

/** Its link opens at both replicas. */
async function opens({ replicas }: Site, { delivered, step }: Sent): Promise<void> {
  for (const { detach } of replicas) {
    const response = await fetch(`http://127.0.0.1:${detach.linksPort}${pathOf(delivered)}/file`);
    assert.equal(response.status, 200, step.what);
    await response.arrayBuffer();
  }
}

/** The original comes back, and its link is found by what names the message. */
async function isFound({ replicas }: Site, sent: Sent): Promise<void> {
  const [, { detach }] = replicas;
  const { status, output } = await restore(detach, sent.delivered);
  assert.equal(status, 0, sent.step.what);
  assert.deepEqual(withoutTrace(output, sent.original), sent.original, sent.step.what);
  for (const filter of [
    ['--message-id', sent.messageId],
    ['--recipient', sent.to],
  ]) {
    const { stdout } = await command(detach, ['links', 'list', '--json', ...filter]);
    assert.ok(stdout.includes(pathOf(sent.delivered)), `${sent.step.what}: ${filter.join(' ')}`);
  }
}

/** Each replica has an address of its own here. */
const pathOf = (delivered: Buffer): string => new URL(linkIn(delivered)).pathname;

/** The line of `doctor` by which an operator compares two replicas. */
async function fingerprints({ detach }: Replica): Promise<string> {
  const { stdout } = await command(detach, ['doctor']);
  return /keys: fingerprints.*/.exec(stdout)![0];
}

async function startSite(scenario: Scenario): Promise<Site> {
  const clock = new FakeClock(scenario.directory('clock'));
  const sink = await scenario.use(startSink());
  const storage = closedDirectory(scenario);
  const make = async (): Promise<Replica> => {
    const config = { loopguard: { cluster: 'rotated' } };
    const detach = await scenario.use(prepareDetach({ nextHop: sink.port, storage, config, env: clock.env }));
    return new Replica(detach);
  };
  const replicas = [await make(), await make()] as const;
  for (const { detach } of replicas) await detach.start();
  const settings = { relayhost: `[127.0.0.1]:${replicas[0].detach.port}` };
  const a = await scenario.use(startPostfix({ dir: 'postfix-a', settings }));
  return { replicas, sink, a, clock };
}

/** B defers a message whose file is stored already; it stays in A's queue until the keys have changed. */
async function deferredAtB({ sink, a, replicas }: Site): Promise<Buffer> {
  const to = 'waits@example.org';
  const message = letter(to, 'deferred');
  sink.answer = ({ stage }) => (stage === 'message' ? '451 4.3.0 later' : undefined);
  await sendMail({ port: a.port, from, to: [to], message });
  await replicas[0].detach.waitForEvent('transaction', ({ outcome }) => outcome === 'deferred');
  sink.answer = () => undefined;
  return message;
}

/** Mail of all steps before comes back, and more is sent; `doctor` shows whether the replicas have the same keys. */
async function take(site: Site, step: Step, sent: readonly Sent[]): Promise<readonly Sent[]> {
  const { replicas, clock } = site;
  clock.forward(step.clock);
  for (const i of [0, 1] as const) await replicas[i].rotate(step.keys[i]);
  for (const each of sent) await comesBack(site, each, step);
  const [first, second] = [await fingerprints(replicas[0]), await fingerprints(replicas[1])];
  assert.equal(first === second, step.keys[0].join() === step.keys[1].join(), `${step.what}: ${first}\n${second}`);
  return [await send(site, 0, step), await send(site, 1, step)];
}

test('keys are rotated as the documents say: nothing is lost, no loop is missed or imagined, links live on', async (t) => {
  const scenario = new Scenario(t);
  const site = await startSite(scenario);
  const { replicas, sink, a } = site;
  const waiting = await deferredAtB(site);
  const sent: Sent[] = [];
  for (const step of steps) sent.push(...(await take(site, step, sent)));

  await a.deliverAll();
  const late = await waitFor(() => sink.messages.find(({ data }) => data.includes('Subject: deferred')), {
    what: 'the message that waited',
  });
  const [step] = steps as readonly [Step];
  sent.push({ step, to: 'waits@example.org', messageId: idOf(waiting), original: waiting, delivered: late.data });
  for (const each of sent) await opens(site, each);
  const byOldKey = sent[0]!;
  const byNewKey = sent.at(-2)!;
  for (const each of [byOldKey, byNewKey, sent.at(-1)!]) await isFound(site, each);

  for (const { to } of [byOldKey, byNewKey, sent.at(-1)!]) {
    const end = await command(replicas[0].detach, ['links', 'erase', '--recipient', to]);
    assert.equal(end.status, 0, end.stderr);
  }
  const { stdout } = await command(replicas[0].detach, ['stats', '--json']);
  // The message that waited has two links, one by each key: both are gone.
  assert.equal((JSON.parse(stdout) as { readonly links: number }).links, sent.length - 3);
});
