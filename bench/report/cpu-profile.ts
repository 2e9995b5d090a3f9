import { existsSync, readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { fileURLToPath } from 'node:url';

/** The profile that V8 writes: a tree of call frames, and the top frame of each sample. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly children?: readonly number[];
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
      readonly columnNumber: number;
    };
  }[];
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

type Frame = CpuProfile['nodes'][number]['callFrame'];

/** The same profile with each frame in the source that it was built from, as the source maps beside the program say. */
export function inSources(profile: CpuProfile): CpuProfile {
  const maps = new Map<string, SourceMap | undefined>();
  const nodes = profile.nodes.map(({ callFrame, ...node }) => {
    const { url, lineNumber, columnNumber } = callFrame;
    if (!maps.has(url)) maps.set(url, sourceMapOf(url));
    const entry = maps.get(url)?.findEntry(lineNumber, columnNumber);
    if (entry === undefined || !('originalSource' in entry)) return { ...node, callFrame };
    const source = new URL(entry.originalSource, url).href;
    return { ...node, callFrame: { ...callFrame, url: source, lineNumber: entry.originalLine } };
  });
  return { ...profile, nodes };
}

function sourceMapOf(url: string): SourceMap | undefined {
  const file = url.startsWith('file:') ? `${fileURLToPath(url)}.map` : '';
  if (!existsSync(file)) return undefined;
  return new SourceMap(JSON.parse(readFileSync(file, 'utf8')) as SourceMapPayload);
}

/** Share of the busy time by function, as in `12.3 %  write src/outbound/message-writer.js:40`. */
export function byFunction(profile: CpuProfile): string[] {
  return shares(profile, new Map(profile.nodes.map(({ id, callFrame }) => [id, describe(callFrame)])));
}

/**
 * The same, but the time of libraries and of the engine counts for our function that called them. Work that Node starts
 * itself (reading sockets, timers) counts for the first library function.
 */
export function byCaller(profile: CpuProfile): string[] {
  const parents = new Map(profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const callers = profile.nodes.map(({ id }): [number, string] => {
    const path: Frame[] = [];
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) path.push(frames.get(at)!);
    const caller = path.find(({ url }) => url.startsWith('file:') && !url.includes('/node_modules/'));
    const native = path[0]!.url === '' && caller ? ` > ${path[0]!.functionName}` : '';
    return [id, `${describe(caller ?? path.findLast(({ url }) => url !== '') ?? path[0]!)}${native}`];
  });
  return shares(profile, new Map(callers));
}

/** Share of the busy time by our files, by packages, and by parts of the engine, such as `(garbage collector)`. */
export function byPlace(profile: CpuProfile): string[] {
  return shares(
    profile,
    new Map(
      profile.nodes.map(({ id, callFrame: { functionName, url } }) => [id, url === '' ? functionName : shorten(url)]),
    ),
  );
}

function shares(profile: CpuProfile, names: ReadonlyMap<number, string>): string[] {
  const spent = new Map<string, number>();
  profile.samples.forEach((id, i) => {
    const key = names.get(id) ?? '';
    spent.set(key, (spent.get(key) ?? 0) + (profile.timeDeltas[i] ?? 0));
  });
  for (const idle of ['(idle)', '(root)']) spent.delete(idle);
  const busy = [...spent.values()].reduce((sum, each) => sum + each, 0);
  return [...spent]
    .sort(([, a], [, b]) => b - a)
    .map(([key, time]) => `${((time / busy) * 100).toFixed(1).padStart(5)} %  ${key}`);
}

function describe({ functionName, url, lineNumber }: Frame): string {
  return `${functionName === '' ? '(anonymous)' : functionName}${url === '' ? '' : ` ${shorten(url)}:${lineNumber + 1}`}`;
}

/** `src/…` for ours, the package and its file for others, `node:…` for Node's own. */
function shorten(url: string): string {
  const [, inPackage] = /.*\/node_modules\/(.+)$/.exec(url) ?? [];
  const [, inOurs] = /\/((?:src|dist|build)\/.+)$/.exec(url) ?? [];
  return inPackage ?? inOurs ?? url;
}
