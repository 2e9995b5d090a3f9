/** Reads main.cf and master.cf through `postconf`, which knows defaults, continuation lines and what is misspelled. */
import { execFile, type ExecFileException } from 'node:child_process';
import { statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { codeOf } from '../../smtp/failures.ts';
import type { Config } from '../../config/config.ts';
import type { Neighbour } from './neighbour.ts';
import { leadsToUs, listenerFor, listenersOf, type Match } from './our-door.ts';
import { type Route, routesOf } from './routes.ts';
import { parseParameters, parseServices, type Service } from './service.ts';

/** It reads two small files. */
const postconfMs = 10_000;
const maxOutputBytes = 4 * 1024 * 1024;
/** More of what it complains of helps nobody. */
const maxComplaints = 10;
const maxComplaintLength = 300;

/** Why a directory could not be read. */
export class NeighbourError extends Error {
  override readonly name = 'NeighbourError';
  readonly missing: boolean;

  constructor(message: string, missing: boolean) {
    super(message);
    this.missing = missing;
  }
}

interface Files {
  readonly dir: string;
  readonly get: (name: string) => string;
  readonly services: readonly Service[];
  readonly complaints: readonly string[];
}

/** @throws NeighbourError */
export async function readNeighbours(dirs: readonly string[], config: Config): Promise<readonly Neighbour[]> {
  const read = await Promise.all(dirs.map(readFiles));
  const known = await Promise.all(
    read.map(async (files): Promise<Known> => {
      const routes = routesOf(files.services, files.get);
      const toUs = await chosen(routes, config);
      return { files, toUs, elsewhere: routes.filter((route) => !toUs.includes(route)) };
    }),
  );
  const takers = await takersOf(known, config);
  return known.map(({ files, toUs, elsewhere }, i) => ({ ...files, toUs, elsewhere, fromUs: takers[i]! }));
}

interface Known {
  readonly files: Files;
  readonly toUs: readonly Route[];
  readonly elsewhere: readonly Route[];
}

async function chosen(routes: readonly Route[], { inbound }: Config): Promise<readonly Route[]> {
  const leads = await Promise.all(
    routes.map(async ({ destinations }) =>
      (await Promise.all(destinations.map((each) => leadsToUs(each, inbound)))).some(Boolean),
    ),
  );
  return routes.filter((_, i) => leads[i]);
}

/** For each Postfix, its listeners that are a next hop of ours. */
async function takersOf(known: readonly Known[], { outbound }: Config): Promise<readonly (readonly Service[])[]> {
  const listeners = known.map(({ files }) => listenersOf(files.services));
  const found = await Promise.all(
    outbound.nextHop.map(async (hop) => {
      const matches = known.map(({ files }, i) =>
        listenerFor(hop, { listeners: listeners[i]!, myhostname: files.get('myhostname') }),
      );
      return surest(await Promise.all(matches), known);
    }),
  );
  return known.map((_, i) => [...new Set(found.flatMap((matches) => matches[i] ?? []))]);
}

/**
 * Two servers cannot have one address: of several that could be it, the surest, and among those one that sends us
 * nothing.
 */
function surest(matches: readonly (Match | undefined)[], known: readonly Known[]): readonly (Service | undefined)[] {
  const rank = (match: Match | undefined, i: number): number => {
    const sends = known[i]!.toUs.length > 0;
    return !match || (sends && match.unsure) ? 0 : match.sureness * 2 + (sends ? 0 : 1);
  };
  const best = Math.max(0, ...matches.map(rank));
  return matches.map((match, i) => (best > 0 && rank(match, i) === best ? match?.service : undefined));
}

async function readFiles(dir: string): Promise<Files> {
  const path = resolve(dir);
  for (const name of ['main.cf', 'master.cf']) assertFile(dir, join(path, name));
  const [main, master, overrides] = await Promise.all([
    postconf(path, '-x'),
    postconf(path, '-M'),
    postconf(path, '-x', '-P'),
  ]);
  const parameters = parseParameters(main.output);
  return {
    dir,
    get: (name) => parameters.get(name) ?? '',
    services: parseServices(master.output, { overrides: overrides.output, main: parameters }),
    complaints: bounded([...new Set([main, master, overrides].flatMap(({ complaints }) => complaints))]),
  };
}

/** postconf(1) would wait for ever for the end of a pipe, and read a device until no memory is left. */
function assertFile(dir: string, path: string): void {
  try {
    if (!statSync(path).isFile()) throw new NeighbourError(`${basename(path)} in ${dir} is no file`, false);
  } catch (error) {
    if (error instanceof NeighbourError) throw error;
    const code = codeOf(error);
    if (code === 'ENOENT') throw new NeighbourError(`there is no ${basename(path)} in ${dir}`, true);
    throw new NeighbourError(`${basename(path)} in ${dir} cannot be read (${code})`, false);
  }
}

interface Said {
  readonly output: string;
  readonly complaints: readonly string[];
}

function postconf(dir: string, ...args: readonly string[]): Promise<Said> {
  const options = { timeout: postconfMs, killSignal: 'SIGKILL', maxBuffer: maxOutputBytes } as const;
  return new Promise((resolve, reject) => {
    execFile('postconf', ['-c', dir, ...args], options, (error, output, errors) => {
      if (!error) {
        resolve({ output, complaints: complaintsIn(errors) });
        return;
      }
      const missing = 'code' in error && error.code === 'ENOENT';
      const advice = 'postconf is not installed here: run doctor where Postfix is, or install the package postfix';
      reject(new NeighbourError(missing ? advice : `postconf cannot read ${dir}: ${cause(error, errors)}`, missing));
    });
  });
}

/** Why `postconf` failed: what it ended with, where it says that. */
function cause(error: ExecFileException, errors: string): string {
  if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER')
    return `it prints more than ${maxOutputBytes / 1024 ** 2} MiB: there is more in main.cf or master.cf than belongs there`;
  if (error.killed) return `it did not answer within ${postconfMs / 1000} s`;
  const said = complaintsIn(errors);
  const isFatal = (line: string): boolean => line.startsWith('fatal: ');
  // The line before says more where a value names itself.
  return (
    bounded([...said.filter(isFatal), ...said.filter((line) => !isFatal(line)).reverse()]).join('; ') || error.message
  );
}

/** The first ones, shortened, and how many there are besides. */
function bounded(complaints: readonly string[]): readonly string[] {
  const shown = complaints
    .slice(0, maxComplaints)
    .map((line) => (line.length > maxComplaintLength ? `${line.slice(0, maxComplaintLength)}…` : line));
  const others = complaints.length - shown.length;
  return others > 0 ? [...shown, `and ${others} more: postconf(1) says them all`] : shown;
}

/** Lines without the name of the program in front. */
const complaintsIn = (errors: string): readonly string[] =>
  errors
    .split('\n')
    .map((line) => line.replace(/^\S*postconf: (?:warning: )?/, '').trim())
    .filter((line) => line !== '');
