import { parseArgs } from 'node:util';
import type { Workload } from './workloads/workload.ts';

export interface Options {
  readonly workloads: readonly Workload[];
  readonly rounds: number;
  readonly quick: boolean;
  /** Folders that hold a build, or revisions. */
  readonly baselines: readonly string[];
  /** Paths of other Nodes. */
  readonly nodes: readonly string[];
  readonly buildsOnly: boolean;
  /** Name of the files in `bench/results`. */
  readonly name: string;
}

export const usage = (workloads: readonly Workload[]): string => `usage: npm run bench -- [options] [workload …]

  --quick      a first look: fewer situations, shorter runs, two rounds
  --rounds N   how often everything is measured (5)
  --baseline DIRECTORY or REVISION
               another build as one more peer: a copy of dist, or a revision of git, which is built first; may stand
               there several times
  --node FILE  the same build on another Node as one more peer; may stand there several times
  --builds     measures builds of Detach MTA only, not the programs that people would use instead
  --name NAME  results/NAME.* instead of one named after the time

workloads (all when none is named):
${workloads.map(({ name, title }) => `  ${name.padEnd(10)} ${title}`).join('\n')}
`;

/** undefined: help was asked for. @throws TypeError for unknown options, RangeError for invalid values */
export function parseOptions(argv: readonly string[], all: readonly Workload[]): Options | undefined {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      help: { type: 'boolean' },
      quick: { type: 'boolean' },
      rounds: { type: 'string' },
      name: { type: 'string' },
      baseline: { type: 'string', multiple: true },
      node: { type: 'string', multiple: true },
      builds: { type: 'boolean' },
    },
  });
  if (values.help) return undefined;
  const unknown = positionals.filter((name) => !all.some((workload) => workload.name === name));
  if (unknown.length > 0) throw new RangeError(`no workload is called ${unknown.join(', ')}`);
  const quick = values.quick ?? false;
  const rounds = Number(values.rounds ?? (quick ? 2 : 5));
  if (!Number.isInteger(rounds) || rounds < 1) throw new RangeError('--rounds takes a number from 1');
  return {
    workloads: positionals.length === 0 ? all : all.filter(({ name }) => positionals.includes(name)),
    rounds,
    quick,
    baselines: values.baseline ?? [],
    nodes: values.node ?? [],
    buildsOnly: values.builds ?? false,
    name: values.name ?? new Date().toISOString().slice(0, 16).replace(/:/g, ''),
  };
}
