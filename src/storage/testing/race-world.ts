/** Two messages with a file in common, all that may be done with them, and what must hold afterwards, for tests. */
import assert from 'node:assert/strict';
import { changeLink } from '../admin/change-link.ts';
import type { AdminContext } from '../admin/context.ts';
import { eraseMessage } from '../admin/erase/erase-message.ts';
import { entriesOf } from '../admin/message-blobs.ts';
import { sweep } from '../admin/sweep/sweep.ts';
import { Failure } from '../../smtp/failures.ts';
import type { Link } from '../interface.ts';
import { linkState, parseLink } from '../link-record.ts';
import { messageKeyOf } from '../naming.ts';
import { BlobStore } from '../store.ts';
import { parseUntil } from '../until.ts';
import { MemoryBlobs } from './memory-blobs.ts';
import { storeMessage, type TestMessage } from './store-message.ts';

const day = 86_400_000;
const start = Date.parse('2026-01-01T00:00:00.000Z');
const expiresAfter = 90 * day;
const secret = Buffer.alloc(32, 7);
const { signal } = new AbortController();

export const shared = { bytes: Buffer.from('shared'), name: 'shared.pdf' };
const own = { bytes: Buffer.from('own'), name: 'own.pdf' };
/** The first two have the same file; the second has one more. */
const messages = {
  one: { messageIdentity: '<one@example.com>', files: [shared] },
  two: { messageIdentity: '<two@example.com>', files: [shared, own] },
} as const satisfies Record<string, TestMessage>;
type Name = keyof typeof messages;

export const deeds = [
  'deliver one',
  'deliver two',
  'erase one',
  'erase two',
  'erase half of two',
  'sweep',
  'extend one',
  'hold one',
  'hold half of two',
  'revoke one',
] as const;
export type Deed = (typeof deeds)[number];

/** Age of the messages in days when the race begins: new, living, expired with their files, long expired. */
export const ages = [0, 2, 100, 130] as const;

export class World {
  now = start;
  readonly blobs = new MemoryBlobs(() => this.now);
  readonly tokens = new Map<Name, readonly string[]>();
  /** The result of each deed. */
  readonly results = new Map<Deed, unknown>();

  /** A store as in a separate process: stores of one process share their work. */
  get store(): BlobStore {
    return new BlobStore({ blobs: this.blobs, secret, expiresAfter, now: () => this.now });
  }

  get admin(): AdminContext {
    return { blobs: this.blobs, secrets: [secret], now: () => this.now, signal, progress: () => undefined };
  }

  async begin(age: number): Promise<void> {
    for (const name of ['one', 'two'] as const) {
      this.tokens.set(name, (await storeMessage(this.store, messages[name])).tokens);
    }
    await sweep(this.admin);
    this.now += age * day;
  }

  async act(deed: Deed): Promise<void> {
    try {
      this.results.set(deed, await this.#work(deed));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.results.set(deed, 'failed');
    }
  }

  async #work(deed: Deed): Promise<unknown> {
    const { admin } = this;
    const [one = ''] = this.tokens.get('one')!;
    const [half = ''] = this.tokens.get('two')!;
    switch (deed) {
      case 'deliver one':
        await storeMessage(this.store, messages.one);
        return 'changed';
      case 'deliver two':
        await storeMessage(this.store, messages.two);
        return 'changed';
      case 'erase one':
        return eraseMessage(admin, [one]);
      case 'erase two':
        return eraseMessage(admin, this.tokens.get('two')!);
      case 'erase half of two':
        return eraseMessage(admin, [half]);
      case 'sweep':
        await sweep(admin);
        return 'changed';
      case 'extend one':
        return (await changeLink(admin, one, { verb: 'extend', to: { by: 200 * day } })).outcome;
      case 'hold one':
        return (await changeLink(admin, one, { verb: 'hold' })).outcome;
      case 'hold half of two':
        return (await changeLink(admin, half, { verb: 'hold' })).outcome;
      case 'revoke one':
        return (await changeLink(admin, one, { verb: 'revoke' })).outcome;
      default:
        return deed satisfies never;
    }
  }

  did(deed: Deed): boolean {
    return this.results.get(deed) === 'changed';
  }

  link(token: string): Link | undefined {
    const held = this.blobs.held.get(`links/${token}`);
    const link = held && parseLink(held.bytes.toString());
    return link?.erasing === undefined ? link : undefined;
  }

  hasFile({ sha256 }: Link): boolean {
    return this.blobs.held.has(`files/${sha256}`);
  }

  hasManifest(name: Name): boolean {
    const key = messageKeyOf(secret, messages[name].messageIdentity);
    return [...this.blobs.held].some(
      ([blob, { metadata }]) => blob.startsWith('messages/') && metadata['message'] === key,
    );
  }
}

/** An operator finds a link by message, sender and file. */
function checkIndexed(world: World, token: string): void {
  const link = world.link(token);
  for (const entry of link ? entriesOf(world.admin, { token, link }) : []) {
    assert.ok(world.blobs.held.has(entry), `a link has no ${entry}`);
  }
}

/** What must hold as soon as all have ended, after these storage calls. */
export function checkNow(world: World, calls: readonly string[] = []): void {
  const [one = ''] = world.tokens.get('one')!;
  const link = world.link(one);
  for (const name of ['one', 'two'] as const) {
    if (!world.did(`deliver ${name}`)) continue;
    const links = world.tokens.get(name)!.map((token) => world.link(token));
    for (const each of links) if (each) assert.ok(world.hasFile(each), `${name} was delivered, its file is gone`);
    for (const token of world.tokens.get(name)!) checkIndexed(world, token);
    const whole = links.every((each) => each !== undefined);
    if (whole && !world.results.has('erase half of two')) {
      assert.ok(world.hasManifest(name), `${name} was delivered, its manifest is gone`);
    }
  }
  if ((world.did('extend one') || world.did('hold one')) && link) checkIndexed(world, one);
  if (world.did('hold one')) {
    const held = calls.findLast((call) => call.endsWith(` replace links/${one}`)) ?? '';
    assert.ok(link?.held, 'a held link is gone');
    assert.ok(world.hasFile(link), 'the file of a held link is gone');
    // What had ended and was swept before is no longer there to be held.
    const swept = calls.slice(0, calls.lastIndexOf(held)).some((call) => call.includes(' delete messages/'));
    assert.ok(world.hasManifest('one') || swept, 'the manifest of a held link is gone');
  }
  if (world.did('hold half of two')) {
    const half = world.link(world.tokens.get('two')![0]!);
    assert.ok(half?.held && world.hasFile(half), 'a held link or its file is gone');
  }
  // A message that comes again after its link was erased or swept is a new one.
  const anew = calls.some((call) => call.endsWith(` delete links/${one}`));
  if (world.did('revoke one') && link && !anew) assert.ok(link.revoked, 'a revoked link lives again');
  if (world.did('extend one') && link) {
    const until = parseUntil(world.blobs.held.get(`files/${link.sha256}`)?.metadata);
    assert.ok(typeof until === 'number' && until >= Date.parse(link.expires!), 'the file ends before its link');
  }
}

/** What must hold when the next sweeps have looked at what was refused or crashed. */
export async function checkLater(world: World): Promise<void> {
  for (const days of [2.5, 2.5]) {
    world.now += days * day;
    await sweep(world.admin);
  }
  const links = new Set<string>();
  for (const [token] of world.blobs.kind('links')) {
    const link = world.link(token);
    assert.ok(link, 'a link is being erased for ever');
    links.add(token);
    // A hold that came when the file of an expired link was gone has said so.
    const late = link.held !== undefined && [...world.results.values()].includes('missing');
    if (linkState(link, world.now) === 'living' && !late) assert.ok(world.hasFile(link), 'a living link has no file');
  }
  const keys = new Set(
    (['one', 'two'] as const)
      .filter((name) => world.tokens.get(name)!.some((token) => links.has(token)))
      .map((name) => messageKeyOf(secret, messages[name].messageIdentity)),
  );
  const files = new Set([...links].map((token) => world.link(token)!.sha256));
  for (const [name, { metadata }] of world.blobs.held) {
    const [kind, by = '', key = '', token = ''] = name.split('/');
    const own =
      kind === 'index' && by !== 'complete'
        ? token.startsWith('page-') || by === 'transaction'
          ? keys.has(key)
          : links.has(token)
        : true;
    assert.ok(own, `${name} names nothing`);
    if (kind === 'messages') assert.ok(keys.has(metadata['message']!), 'a manifest of no message');
    if (kind === 'files') assert.ok(files.has(by), 'a file of no link');
    if (kind === 'pages')
      assert.ok(keys.has(messageKeyOf(secret, messages.two.messageIdentity)), 'a page of no message');
  }
}
