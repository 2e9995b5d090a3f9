/**
 * Counts what is stored and what it saves. Reads listings only and counts links and messages while they are listed:
 * memory is needed for one folder of 4096 at most.
 */
import type { ListedBlob } from '../../blobs.ts';
import { lastSegment, messageEntry } from '../../index-names.ts';
import { linkState } from '../../link-record.ts';
import { readLink } from '../../links.ts';
import { type AdminContext, namesBelow, readable, unlessDamaged } from '../context.ts';
import { isBeforeIndex } from '../before-index.ts';
import { groupedByKey } from './grouped.ts';
import { mailboxBytes } from './mailbox-bytes.ts';
import { Largest } from './largest.ts';

export interface FileFigure {
  readonly sha256: string;
  readonly size: number;
}

export interface LinkedFigure {
  readonly sha256: string;
  readonly links: number;
}

export interface Stats {
  links: number;
  files: number;
  /** That have a link. */
  messages: number;
  /** Decoded bytes of all files. */
  bytesStored: number;
  /** What the mailboxes of all recipients would hold in addition, minus what is stored. */
  saved: number;
  readonly states: { living: number; expired: number; revoked: number; held: number };
  largest: readonly FileFigure[];
  mostLinked: readonly LinkedFigure[];
}

/** Largest files that are shown by name. */
const shown = 10;

export async function readStats(context: AdminContext): Promise<Stats> {
  const states = { living: 0, expired: 0, revoked: 0, held: 0 };
  const stats: Stats = {
    links: 0,
    files: 0,
    messages: 0,
    bytesStored: 0,
    saved: 0,
    states,
    largest: [],
    mostLinked: [],
  };
  await countLinks(context, stats);
  await countFiles(context, stats);
  await countIndex(context, stats);
  stats.saved = (await mailboxBytes(context)) - stats.bytesStored;
  return stats;
}

async function countLinks(context: AdminContext, stats: Stats): Promise<void> {
  for await (const item of readable(context, 'links/')) {
    const marks = await unlessDamaged(context, () => marksOf(context, item));
    if (!marks) continue;
    stats.links += 1;
    stats.states[linkState(marks, context.now())] += 1;
    if (marks.held !== undefined) stats.states.held += 1;
  }
}

/** What decides on the state; undefined: the link is being erased, or gone. */
async function marksOf(context: AdminContext, { name, metadata }: ListedBlob) {
  if (isBeforeIndex(metadata)) return (await readLink(context.blobs, lastSegment(name), context))?.link;
  const { erasing, revoked, held, expires = 'never' } = metadata;
  return erasing === undefined ? { revoked, held, expires: expires === 'never' ? null : expires } : undefined;
}

async function countFiles(context: AdminContext, stats: Stats): Promise<void> {
  const largest = new Largest<FileFigure>(shown, ({ size }) => size);
  for await (const { name, size } of readable(context, 'files/')) {
    stats.files += 1;
    stats.bytesStored += size;
    largest.add({ sha256: lastSegment(name), size });
  }
  stats.largest = largest.items;
}

const itself = (name: string): string => name;

async function countIndex(context: AdminContext, stats: Stats): Promise<void> {
  const linked = new Largest<LinkedFigure>(shown, ({ links }) => links);
  for await (const [sha256, entries] of groupedByKey(namesBelow(context, 'index/file/'), itself)) {
    linked.add({ sha256, links: entries.length });
  }
  stats.mostLinked = linked.items;
  const isLink = (name: string): boolean => messageEntry(name).kind === 'link';
  for await (const [, entries] of groupedByKey(namesBelow(context, 'index/message/'), itself)) {
    if (entries.some(isLink)) stats.messages += 1;
  }
}
