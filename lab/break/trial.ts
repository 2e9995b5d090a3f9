import { setTimeout as pause } from 'node:timers/promises';
import { sha256 } from '../../test/harness/random.ts';
import { waitFor } from '../../test/harness/wait.ts';
import type { LabChain } from '../chain.ts';
import { collect, linksIn, post } from '../deliver.ts';
import { makeSample, type Sample } from '../sample.ts';
import { type Check, sayChecks } from '../show.ts';
import { heading, row, size } from '../terminal.ts';

export interface Damage {
  /** Where it happens only while the letter is under way: resolves when it has happened. */
  readonly happened?: Promise<void>;
}

/** Something that goes wrong, and how it is put right again. */
export interface Trial {
  readonly title: string;
  /** What is sent; the usual sample if not given. */
  readonly sample?: () => Sample;
  readonly damage: (chain: LabChain) => Promise<Damage>;
  readonly mend: (chain: LabChain) => Promise<void>;
}

/** Sends a letter while it goes wrong, shows what A's queue says, puts it right, and checks that the letter arrives. */
export async function runTrial(trial: Trial, chain: LabChain): Promise<boolean> {
  heading(trial.title);
  const before = chain.dovecot.count('bob@example.org');
  const { happened } = await trial.damage(chain);
  const sample = trial.sample?.() ?? makeSample();
  await post(sample, chain.ports.postfixA);
  row('sent', `${size(sample.message.length)}; Postfix A has said 250`);
  await happened;
  await showQueue(chain);
  await trial.mend(chain);
  await chain.a.deliverAll();
  await chain.b?.waitForEmptyQueue();
  return sayChecks(await checks(sample, chain, before));
}

/** Waits until A has given up an attempt, and shows what it waits for. */
async function showQueue({ a, detach }: LabChain): Promise<void> {
  const waiting = await waitFor(
    async () =>
      (await a.queue()).find(({ queue_name, recipients }) => queue_name === 'deferred' && recipients[0]?.delay_reason),
    { what: 'the letter to be deferred', detail: () => `${a.log().slice(-2000)}\n${detach.describe()}` },
  );
  row("A's queue has it", `${waiting.queue_id}, for ${waiting.recipients.length} people, because:`);
  row('', waiting.recipients[0]?.delay_reason ?? '');
}

async function checks(sample: Sample, chain: LabChain, before: number): Promise<Check[]> {
  const copies = await collect(sample, chain);
  // A second copy would come right behind the first one.
  await pause(500);
  const links = linksIn(copies[0]?.message ?? Buffer.alloc(0), `http://127.0.0.1:${chain.ports.links}`);
  const sums = await Promise.all(
    links.slice(0, sample.files.length).map(async (url) => {
      const answer = await fetch(`${url}/file`);
      return sha256(Buffer.from(await answer.arrayBuffer()));
    }),
  );
  return [
    { what: `afterwards all ${sample.to.length} have it`, ok: copies.length === sample.to.length },
    { what: 'once, and no more', ok: chain.dovecot.count('bob@example.org') === before + 1 },
    {
      what: 'the files behind its links are whole',
      ok: sample.files.every(({ content }) => sums.includes(sha256(content))),
    },
  ];
}
