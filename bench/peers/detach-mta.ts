import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ConfigTree, mergeConfig } from '../../test/harness/detach-mta.ts';
import { freePort } from '../../test/harness/ports.ts';
import { privateDirectory, removeDirectory } from '../../test/harness/private-directory.ts';
import type { BlobStorage } from '../load/storage.ts';
import { type Build, thisCheckout } from './builds.ts';
import { type Peer, Program } from './peer.ts';

export interface DetachMtaOptions {
  readonly nextHop: number;
  readonly storage: BlobStorage;
  /** Another build of it, to be measured beside this checkout's. */
  readonly build?: Build;
  /** Processes that share the work; one if not given. */
  readonly workers?: number;
  /** How mail comes in; SMTP if not given. */
  readonly protocol?: 'milter';
  /** Arguments for Node before the program, as in `--cpu-prof`. */
  readonly nodeArgs?: readonly string[];
  /** Keys of the configuration over those that are used here. */
  readonly settings?: ConfigTree;
  /** NODE_OPTIONS of all its processes. */
  readonly nodeOptions?: string;
}

/** This checkout's build, and the others that it is compared with. */
export function startBuilds(options: DetachMtaOptions, others: readonly Build[]): Promise<Peer>[] {
  return [thisCheckout, ...others].map((build) => startDetachMta({ ...options, build }));
}

const environment = ({ nodeOptions }: DetachMtaOptions): readonly string[] =>
  nodeOptions === undefined ? [] : ['env', `NODE_OPTIONS=${nodeOptions}`];

/** As docs/operations.md recommends. */
const asService = ['--use-largepages=silent'];

/** The compiled relay, with limits high enough for what is measured. */
export async function startDetachMta(options: DetachMtaOptions): Promise<Peer> {
  const { nextHop, storage, build = thisCheckout, nodeArgs = [], workers = 1, protocol, settings = {} } = options;
  const home = privateDirectory('detach-mta');
  const port = await freePort();
  const links = await freePort();
  const usual = {
    hostname: 'detach.example.net',
    // A baseline may be older than this key.
    ...(workers === 1 ? {} : { workers }),
    inbound: { port, maxMessageSize: 4 * 2 ** 30, maxClients: 400, ...(protocol ? { protocol } : {}) },
    outbound: { nextHop: [`127.0.0.1:${nextHop}`], maxConnections: 200, maxIdle: 100 },
    spool: { directory: join(home, 'spool'), maxBytes: 16 * 2 ** 30 },
    loopguard: { cluster: 'bench', keys: [`k1:${randomBytes(32).toString('base64')}`] },
    storage: { connectionString: storage.connectionString },
    links: { baseUrl: `http://127.0.0.1:${links}`, port: links, secret: randomBytes(32).toString('base64') },
    metrics: { port: await freePort() },
  };
  // JSON is YAML.
  const file = join(home, 'config.yaml');
  writeFileSync(file, JSON.stringify(mergeConfig(usual, settings)));
  const relay = new Program(
    [
      ...environment(options),
      build.node,
      ...asService,
      ...nodeArgs,
      join(build.directory, 'main.js'),
      'serve',
      '--config',
      file,
    ],
    {
      log: join(home, 'log'),
    },
  );
  await relay.waitForOutput(/"event":"ready"/);
  return {
    name: workers === 1 ? build.name : `${build.name}, ${workers} workers`,
    port,
    pids: [relay.pid],
    stop: async () => {
      await relay.stop();
      removeDirectory(home);
    },
  };
}
