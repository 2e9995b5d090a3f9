/** Configurations of Postfix that begin as shipped and are then broken, in folders of their own. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { stringify } from 'yaml';
import { loadConfig } from '../../config/load-config.ts';
import type { Config } from '../../config/config.ts';
import { copyConfiguration, makeCold } from '../../../test/harness/postfix-home.ts';
import { neighbourChecks } from '../checks.ts';
import type { Finding } from '../finding.ts';
import type { Context } from '../interface.ts';
import type { Neighbour } from '../postfix/neighbour.ts';
import { readNeighbours } from '../postfix/read-neighbour.ts';
import { runChecks } from '../run-checks.ts';

/** Changes to one configuration of Postfix. */
export interface Edit {
  /** Folder of the repository. */
  readonly from: string;
  /** Parameters of main.cf. */
  readonly main?: Readonly<Record<string, string>>;
  readonly master?: (text: string) => string;
}

export interface SetUp {
  readonly postfix: readonly Edit[];
  /** Over a configuration that goes with the shipped ones: in the form of the file. */
  readonly config?: Readonly<Record<string, unknown>>;
}

type Tree = Readonly<Record<string, unknown>>;

const base: Tree = {
  hostname: 'detach.example.net',
  outbound: { nextHop: ['mail-b.example.net:25'] },
  loopguard: { cluster: 'test', keys: [`k1:${Buffer.alloc(32, 7).toString('base64')}`] },
  storage: { connectionString: 'UseDevelopmentStorage=true' },
  links: { baseUrl: 'https://files.example.net', secret: Buffer.alloc(32, 8).toString('base64') },
};

/** The folder of a configuration with its changes made. */
function prepare(t: Pick<TestContext, 'after'>, { from, main = {}, master }: Edit): string {
  const dir = mkdtempSync(join(tmpdir(), 'doctor-'));
  t.after(() => rmSync(dir, { recursive: true }));
  copyConfiguration(from, dir);
  const entries = Object.entries(main).map(([name, value]) => `${name}=${value}`);
  if (entries.length > 0) execFileSync('postconf', ['-c', dir, '-e', ...entries]);
  const file = join(dir, 'master.cf');
  if (master) writeFileSync(file, master(readFileSync(file, 'utf8')));
  for (const name of ['main.cf', 'master.cf']) makeCold(join(dir, name));
  return dir;
}

export function configOf(over: Tree = {}): Config {
  const dir = mkdtempSync(join(tmpdir(), 'doctor-config-'));
  try {
    const file = join(dir, 'detach-mta.yaml');
    writeFileSync(file, stringify(merge(base, over)));
    return loadConfig({ file, env: {} });
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** Servers with such configurations, as the checks see them. */
export const neighboursOf = (
  t: Pick<TestContext, 'after'>,
  edits: readonly Edit[],
  config: Config,
): Promise<readonly Neighbour[]> =>
  readNeighbours(
    edits.map((edit) => prepare(t, edit)),
    config,
  );

/** What the checks of neighbours find. */
export async function examineNeighbours(t: Pick<TestContext, 'after'>, setUp: SetUp): Promise<readonly Finding[]> {
  const config = configOf(setUp.config);
  const neighbours = await neighboursOf(t, setUp.postfix, config);
  const context: Context = { config, neighbours, listening: [], fstab: '', now: Date.now };
  return runChecks(neighbourChecks, context, { signal: new AbortController().signal });
}

function merge(under: Tree, over: Tree): Tree {
  const merged: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isTree(below) && isTree(value) ? merge(below, value) : value;
  }
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined));
}

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);
