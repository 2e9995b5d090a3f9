/** `npm run bench`: runs the workloads, prints tables and verdicts, writes `results/NAME.md`, `.json` and `.svg`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import type { Figure } from './measure/figure.ts';
import { parseOptions, usage } from './options.ts';
import { baselineOf, onOtherNode } from './peers/builds.ts';
import { compactJson } from './report/compact-json.ts';
import { renderPlot } from './report/plot.ts';
import { Results } from './report/results.ts';
import { renderVerdicts, renderWork } from './report/table.ts';
import { judge, met } from './targets.ts';
import { behindPostfix, detaching } from './workloads/attachments.ts';
import { bursts } from './workloads/bursts.ts';
import { growth } from './workloads/growth.ts';
import { latency } from './workloads/latency.ts';
import { mailboxes } from './workloads/mailboxes.ts';
import { memory } from './workloads/memory.ts';
import { milter } from './workloads/milter.ts';
import { smallMail } from './workloads/small-mail.ts';
import { tuning } from './workloads/tuning/tuning.ts';
import { stopWhenInterrupted, type Bench, type Workload } from './workloads/workload.ts';

const workloads = [smallMail, bursts, latency, detaching, behindPostfix, milter, memory, growth, mailboxes, tuning];

async function main(argv: readonly string[]): Promise<number> {
  let options;
  try {
    options = parseOptions(argv, workloads);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage(workloads)}`);
    return 64;
  }
  if (!options) {
    console.log(usage(workloads));
    return 0;
  }
  const builds = [...options.baselines.map(baselineOf), ...options.nodes.map(onOtherNode)];
  stopWhenInterrupted();
  return measureAll(argv, { ...options, builds });
}

type Run = Pick<Bench, 'rounds' | 'quick' | 'builds' | 'buildsOnly'>;

/** What is measured, and what failed. */
interface Taken {
  readonly figures: Figure[];
  readonly failures: string[];
}

const createBench = (run: Run, { figures, failures }: Taken): Bench => ({
  ...run,
  record: (figure) => figures.push(figure),
  progress: (text) => console.error(`${new Date().toISOString().slice(11, 19)} ${text}`),
  async attempt(what, work) {
    try {
      await work();
    } catch (error) {
      failures.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
      console.error(`FAILED ${failures.at(-1) ?? ''}`);
    }
  },
});

interface Plan extends Run {
  readonly name: string;
  readonly workloads: readonly Workload[];
}

/** @returns the exit status */
async function measureAll(
  argv: readonly string[],
  { name, workloads: chosen, rounds, quick, builds, buildsOnly }: Plan,
): Promise<number> {
  const figures: Figure[] = [];
  const failures: string[] = [];
  const bench = createBench({ rounds, quick, builds, buildsOnly }, { figures, failures });
  let results = new Results(figures);
  let verdicts = judge(results);
  const tables: string[] = [];
  for (const workload of chosen) {
    await bench.attempt(workload.title, () => workload.run(bench));
    results = new Results(figures);
    verdicts = judge(results);
    const made = [
      ...(workload === detaching ? [section('The unavoidable parts, each alone', renderWork(results, 'parts'))] : []),
      section(workload.title, renderWork(results, workload.name)),
    ];
    tables.unshift(...made);
    console.log(made.join('\n'));
    // Written after each workload, so that a failure in the last one does not lose an hour's results.
    write(name, {
      json: {
        taken: new Date().toISOString(),
        ...machine(),
        options: argv,
        failures,
        verdicts,
        rows: results.rows,
      },
      svg: renderPlot(results),
      md: `# Benchmark\n\n![](${name}.svg)\n\n${[section('Targets', renderVerdicts(verdicts)), ...tables].join('\n')}`,
    });
  }
  console.log(section('Targets', renderVerdicts(verdicts)));
  for (const failure of failures) console.error(`FAILED ${failure}`);
  if (failures.length > 0) return 1;
  // Targets of workloads that were not run do not count as missed.
  return verdicts.some((verdict) => met(verdict) === false) ? 2 : 0;
}

const section = (title: string, table: string): string => `## ${title}\n\n${table}\n`;

function machine(): { readonly node: string; readonly cpus: readonly string[] } {
  return { node: process.version, cpus: cpus().map(({ model }) => model) };
}

function write(
  name: string,
  { json, svg, md }: { readonly json: object; readonly svg: string; readonly md: string },
): void {
  const directory = join(import.meta.dirname, 'results');
  mkdirSync(directory, { recursive: true });
  const path = join(directory, name);
  writeFileSync(`${path}.json`, compactJson(json));
  writeFileSync(`${path}.svg`, svg);
  writeFileSync(`${path}.md`, md);
  console.error(`written: bench/results/${name}.md, .json and .svg`);
}

process.exitCode = await main(process.argv.slice(2));
