/**
 * `erase` is killed before one of its storage calls, each of them in turn. The next one with the same arguments finds
 * what was begun and completes it: nothing of the message is left, and what others have stays.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Blobs } from '../../blobs.ts';
import { eraseTimeMs } from '../../link-record.ts';
import { BlobStore } from '../../store.ts';
import { backends } from '../../testing/backends.ts';
import { MemoryBlobs } from '../../testing/memory-blobs.ts';
import { fileOf, storeMessage } from '../../testing/store-message.ts';
import type { AdminContext } from '../context.ts';
import type { Filter } from '../find.ts';
import { sweep } from '../sweep/sweep.ts';
import { eraseLinks, planErase } from './erase-links.ts';
import { eraseRecipient } from './erase-recipient.ts';
import { findAllErasable, findErasable } from './journal.ts';

const day = 86_400_000;
const secret = Buffer.alloc(32, 7);
const { signal } = new AbortController();
const shared = { bytes: Buffer.from('shared'), name: 'shared.pdf' };
const files = [shared, { bytes: Buffer.from('own'), name: 'own.pdf' }];
const bob = { messageIdentity: '<one@example.com>', recipients: ['bob@example.net'], files };
const carol = { messageIdentity: '<two@example.com>', reversePath: 'c@example.com', recipients: ['carol@example.net'] };

const filters = {
  'message id': { messageId: 'one@example.com' },
  sender: { sender: 'a@example.com' },
  recipient: { recipient: 'bob@example.net' },
  'message id and state': { messageId: 'one@example.com', states: new Set(['living']) },
  token: 'token',
} as const satisfies Record<string, Filter | 'token'>;
type Filtered = (typeof filters)[keyof typeof filters];

/** Storage of a process that is killed before the call with this number. */
function killedBefore(blobs: Blobs, call: number): { readonly blobs: Blobs; readonly killed: Promise<'killed'> } {
  let calls = 0;
  let kill: (killed: 'killed') => void;
  const killed = new Promise<'killed'>((resolve) => (kill = resolve));
  const count = (): boolean => {
    if (calls++ < call) return true;
    kill('killed');
    return false;
  };
  const get = (target: Blobs, name: keyof Blobs): unknown => {
    const member: unknown = Reflect.get(target, name);
    if (typeof member !== 'function') return member;
    const bound = (...parameters: unknown[]): unknown => Reflect.apply(member, target, parameters);
    if (name === 'list' || name === 'names') {
      return async function* (...parameters: unknown[]) {
        if (!count()) await new Promise(() => undefined);
        yield* bound(...parameters) as AsyncIterable<unknown>;
      };
    }
    return (...parameters: unknown[]) => (count() ? bound(...parameters) : new Promise(() => undefined));
  };
  return { blobs: new Proxy(blobs, { get: (target, name) => get(target, name as keyof Blobs) }), killed };
}

/** What `links erase` does. */
async function erase(context: AdminContext, what: Filtered, tokens: readonly string[]): Promise<'ended'> {
  const plan = await planErase(context, what === 'token' ? named(context, tokens) : findAllErasable(context, what));
  const options = { plan, dryRun: false };
  const reports =
    what !== 'token' && 'recipient' in what
      ? eraseRecipient(context, { ...options, recipient: what.recipient })
      : eraseLinks(context, options);
  for await (const report of reports) assert.notEqual(report, 'held');
  return 'ended';
}

async function* named(context: AdminContext, tokens: readonly string[]) {
  for (const token of tokens) {
    const found = await findErasable(context, token);
    if (found) yield found;
  }
}

async function namesIn(blobs: Blobs): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const page of blobs.list('', { what: 'test', signal })) names.push(...page.map(({ name }) => name));
  return names.sort();
}

interface Lab {
  readonly blobs: Blobs;
  readonly store: BlobStore;
  readonly admin: (over?: Blobs, later?: number) => AdminContext;
  /** What is there when all is erased. */
  readonly rest: readonly string[];
}

async function setUp(blobs: Blobs): Promise<Lab> {
  const now = Date.now();
  const store = new BlobStore({ blobs, secret, expiresAfter: 90 * day, now: () => now });
  // Index entries of the last day keep a file.
  const admin = (over = blobs, later = 2 * day): AdminContext => ({
    blobs: over,
    secrets: [secret],
    now: () => now + later,
    signal,
    progress: () => undefined,
  });
  await storeMessage(store, { ...carol, from: 'c@example.com', files: [shared] });
  await sweep(admin());
  return { blobs, store, admin, rest: await namesIn(blobs) };
}

/** @returns whether it was killed before its end */
async function killAndRepeat({ blobs, store, admin, rest }: Lab, what: Filtered, call: number): Promise<boolean> {
  const { tokens } = await storeMessage(store, bob);
  const killing = killedBefore(blobs, call);
  const end = await Promise.race([killing.killed, erase(admin(killing.blobs), what, tokens)]);
  await erase(admin(), what, tokens);
  assert.deepEqual(await namesIn(blobs), rest, `killed before call ${call}`);
  return end === 'killed';
}

/** All calls with `DETACH_RACES=all`, otherwise some of them. */
const step = process.env['DETACH_RACES'] === 'all' ? 1 : 3;

for (const [i, [by, what]] of Object.entries(filters).entries())
  test(`killed before any call, then erased again by ${by}`, async () => {
    let call = i % step;
    while (await killAndRepeat(await setUp(new MemoryBlobs()), what, call)) call += step;
    assert.ok(call > 50, `${call} calls`);
  });

for (const [kind, start] of backends)
  test(`the same in ${kind}, for some of the calls`, async () => {
    const backend = await start();
    try {
      const blobs = backend.open();
      await blobs.prepare(signal);
      const lab = await setUp(blobs);
      for (const [i, what] of Object.values(filters).entries()) {
        assert.ok(await killAndRepeat(lab, what, 12 + 13 * i));
      }
    } finally {
      await backend.stop();
    }
  });

test('a message that comes again after an erase has crashed is not erased by what the crash left', async () => {
  for (let call = 0, isKilled = true; isKilled; call += step) {
    const { blobs, store, admin } = await setUp(new MemoryBlobs());
    const { tokens } = await storeMessage(store, bob);
    const killing = killedBefore(blobs, call);
    const end = await Promise.race([killing.killed, erase(admin(killing.blobs), filters['message id'], tokens)]);
    isKilled = end === 'killed';
    const later = 2 * day + eraseTimeMs;
    const laterStore = new BlobStore({ blobs, secret, expiresAfter: 90 * day, now: () => admin(blobs, later).now() });
    await storeMessage(laterStore, { ...bob, recipients: ['dora@example.net'] });
    // Only the message before the crash went to this recipient.
    await erase(admin(blobs, later), filters.recipient, tokens);
    await sweep(admin(blobs, later + eraseTimeMs));
    for (const [i, token] of tokens.entries()) {
      assert.ok(await laterStore.getLink(token, signal), `killed before call ${call}: link ${i} is gone`);
      assert.ok(await laterStore.statFile(fileOf(files[i]!.bytes).sha256, signal), `file ${i} is gone`);
    }
  }
});
