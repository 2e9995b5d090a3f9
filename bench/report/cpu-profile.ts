/** The profile that V8 writes: a tree of call frames, and which of them was on top at each sample. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

type Frame = CpuProfile['nodes'][number]['callFrame'];

/** Share of the busy time by function, as in `12.3 %  write src/outbound/message-writer.js:40`. */
export function byFunction(profile: CpuProfile): string[] {
  return shares(profile, ({ functionName, url, lineNumber }) => {
    const place = url === '' ? '' : ` ${shorten(url)}:${lineNumber + 1}`;
    return `${functionName === '' ? '(anonymous)' : functionName}${place}`;
  });
}

/** Share of the busy time by file of ours, by package, and by what stands for the engine: `(garbage collector)`. */
export function byPlace(profile: CpuProfile): string[] {
  return shares(profile, ({ functionName, url }) => (url === '' ? functionName : shorten(url)));
}

function shares(profile: CpuProfile, name: (frame: Frame) => string): string[] {
  const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, name(callFrame)]));
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

/** `src/…` for ours, the package and its file for others, `node:…` for Node's own. */
function shorten(url: string): string {
  const [, inPackage] = /.*\/node_modules\/(.+)$/.exec(url) ?? [];
  const [, inOurs] = /\/dist\/(.+)$/.exec(url) ?? [];
  return inPackage ?? (inOurs === undefined ? url : `src/${inOurs}`);
}
