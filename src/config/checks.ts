import { X509Certificate } from 'node:crypto';
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import { codeOf } from '../smtp/failures.ts';
import { NetworkList } from '../smtp/networks.ts';
import type { Problem } from './config-error.ts';
import type { Config, NextHopAddress } from './config.ts';
import { maxTemplateBytes, OperatorFileError, readOperatorFile, textOf } from './operator-file.ts';

/** A rule over several keys, or over the file that a key names. It runs when all of its keys could be read. */
interface Check {
  readonly keys: readonly [string, ...string[]];
  /** What is wrong with the first key, undefined when nothing is. */
  readonly run: (config: Config) => string | undefined;
}

/** Reports what is wrong with a configuration whose values are well-formed, but for those of the keys that failed. */
export function checkConfig(config: Config, failed: ReadonlySet<string>): readonly Problem[] {
  return checks.flatMap(({ keys, run }) => {
    const message = keys.some((key) => failed.has(key)) ? undefined : run(config);
    return message === undefined ? [] : [{ subject: keys[0], message }];
  });
}

const loopback = new NetworkList(['127.0.0.0/8', '::1']);

const checks: readonly Check[] = [
  {
    keys: ['inbound.address', 'inbound.protocol'],
    run: ({ inbound: { address, protocol } }) =>
      address.startsWith('unix:') && protocol !== 'milter'
        ? `is a UNIX socket: that needs inbound.protocol milter, not ${protocol}`
        : undefined,
  },
  {
    keys: ['outbound.maxConnections', 'workers'],
    run: ({ outbound: { maxConnections }, workers }) =>
      maxConnections < workers ? `is less than workers (${workers}): each of them needs one` : undefined,
  },
  {
    keys: ['inbound.tls.cert', 'inbound.tls.key', 'inbound.tls.mode'],
    run({ inbound: { tls } }) {
      if (tls.cert !== undefined || tls.key !== undefined) return certificateProblem('inbound', tls);
      return tls.mode === 'off' ? undefined : `is missing, though inbound.tls.mode is ${tls.mode}`;
    },
  },
  {
    keys: ['inbound.tls.key', 'inbound.tls.cert'],
    run: ({ inbound: { tls } }) => keyProblem('inbound', tls),
  },
  {
    keys: ['outbound.tls.cert', 'outbound.tls.key'],
    run: ({ outbound: { tls } }) => certificateProblem('outbound', tls),
  },
  {
    keys: ['outbound.tls.key', 'outbound.tls.cert'],
    run: ({ outbound: { tls } }) => keyProblem('outbound', tls),
  },
  {
    keys: ['outbound.tls.ca'],
    run: ({ outbound: { tls } }) => (tls.ca === undefined ? undefined : readProblem(tls.ca, isCertificate)),
  },
  {
    keys: ['outbound.auth.pass', 'outbound.auth.user'],
    run: ({ outbound: { auth } }) =>
      auth.user !== undefined && auth.pass === undefined ? 'is missing, though there is outbound.auth.user' : undefined,
  },
  {
    keys: ['outbound.auth.user', 'outbound.auth.pass'],
    run: ({ outbound: { auth } }) =>
      auth.pass !== undefined && auth.user === undefined ? 'is missing, though there is outbound.auth.pass' : undefined,
  },
  {
    keys: ['outbound.tls.mode', 'outbound.auth.user', 'outbound.nextHop'],
    run: ({ outbound: { tls, auth, nextHop } }) =>
      tls.mode === 'off' && auth.user !== undefined && !nextHop.every(isLocal)
        ? 'must not be off: a password goes to another machine under TLS only'
        : undefined,
  },
  {
    keys: ['detach.maxSize', 'detach.minSize'],
    run: ({ detach: { maxSize, minSize } }) =>
      maxSize > 0 && maxSize < minSize ? 'is less than detach.minSize: no file would ever be moved' : undefined,
  },
  {
    keys: ['detach.optOut.senders', 'detach.optOut.field'],
    run: ({ detach: { optOut } }) =>
      optOut.field !== undefined && optOut.senders.length === 0
        ? 'is missing, though there is detach.optOut.field: a reverse-path can be forged'
        : undefined,
  },
  {
    keys: ['storage.connectionString', 'storage.accountUrl', 'storage.directory'],
    run({ storage: { connectionString, accountUrl, directory } }) {
      const other = accountUrl !== undefined ? 'accountUrl' : directory !== undefined ? 'directory' : undefined;
      if (connectionString !== undefined) return other === undefined ? undefined : andSoIs(`storage.${other}`);
      return other === undefined ? 'is missing: set this, storage.accountUrl or storage.directory' : undefined;
    },
  },
  {
    keys: ['storage.accountUrl', 'storage.directory'],
    run: ({ storage: { accountUrl, directory } }) =>
      accountUrl !== undefined && directory !== undefined ? andSoIs('storage.directory') : undefined,
  },
  {
    keys: ['storage.directory'],
    run: ({ storage: { directory } }) => (directory === undefined ? undefined : directoryProblem(directory)),
  },
  {
    keys: ['links.delivery', 'storage.directory'],
    run: ({ links, storage }) =>
      links.delivery === 'redirect' && storage.directory !== undefined
        ? 'must not be redirect: a browser cannot reach storage.directory'
        : undefined,
  },
  {
    keys: ['links.cdnUrl', 'links.delivery'],
    run: ({ links: { cdnUrl, delivery } }) =>
      cdnUrl !== undefined && delivery !== 'redirect'
        ? `is set, though links.delivery is ${delivery}: browsers go to a CDN with redirect only`
        : undefined,
  },
  {
    keys: ['links.port', 'links.address', 'inbound.port', 'inbound.address'],
    run: ({ links, inbound }) => (samePlace(links, inbound) ? 'is taken by inbound.port' : undefined),
  },
  {
    keys: ['metrics.port', 'metrics.address', 'links.port', 'links.address', 'inbound.port', 'inbound.address'],
    run({ metrics, links, inbound }) {
      if (samePlace(metrics, inbound)) return 'is taken by inbound.port';
      return samePlace(metrics, links) ? 'is taken by links.port' : undefined;
    },
  },
  ...(['text', 'html', 'filePage', 'messagePage'] as const).map(templateCheck),
];

function templateCheck(name: keyof Config['links']['templates']): Check {
  return {
    keys: [`links.templates.${name}`],
    run({ links: { templates } }) {
      const path = templates[name];
      return path === undefined ? undefined : readProblem(path, textOf, { maxBytes: maxTemplateBytes });
    },
  };
}

/** The two files of one side. */
type Pair = Pick<Config['inbound']['tls'], 'cert' | 'key'>;
type Side = 'inbound' | 'outbound';

function certificateProblem(side: Side, { cert, key }: Pair): string | undefined {
  if (cert !== undefined) return readProblem(cert, isCertificate);
  return key === undefined ? undefined : `is missing, though there is ${side}.tls.key`;
}

function keyProblem(side: Side, { cert, key }: Pair): string | undefined {
  if (cert === undefined) return undefined;
  if (key === undefined) return `is missing, though there is ${side}.tls.cert`;
  return readProblem(key, (content) => {
    createSecureContext({ key: content, ...(readable(cert) && { cert: readFileSync(cert) }) });
  });
}

const andSoIs = (key: string): string => `is set, and so is ${key}: one of them must go`;

/**
 * Commands started as root switch to the owner of the directory, so the owner is checked when the directory is opened.
 */
function directoryProblem(path: string): string | undefined {
  try {
    const found = statSync(path);
    if (!found.isDirectory()) return `${path} is not a directory`;
    return (found.mode & 0o077) === 0 ? undefined : `${path} is open to other users: chmod 700 ${path}`;
  } catch (error) {
    return `${path} cannot be used (${codeOf(error)})`;
  }
}

function isCertificate(pem: Buffer): void {
  new X509Certificate(pem);
}

interface Listener {
  readonly address: string;
  readonly port: number;
}

function samePlace(a: Listener, b: Listener): boolean {
  return a.port !== 0 && a.port === b.port && a.address === b.address;
}

function isLocal(hop: NextHopAddress): boolean {
  if (hop.kind === 'unix') return true;
  return isIP(hop.host) === 0 ? hop.host.toLowerCase() === 'localhost' : loopback.has(hop.host);
}

/** Certificates of all authorities in the world together have a tenth of this. */
const maxPemBytes = 4_194_304;

/** Reads a file and tries to use it. Says what failed, without quoting the file's content. */
function readProblem(
  path: string,
  attempt: (content: Buffer) => void,
  { maxBytes = maxPemBytes }: { readonly maxBytes?: number } = {},
): string | undefined {
  const problem = (error: unknown, what: string): string =>
    `${path} ${error instanceof OperatorFileError ? error.message : `${what} (${codeOf(error)})`}`;
  let content: Buffer;
  try {
    content = readOperatorFile(path, { maxBytes });
  } catch (error) {
    return problem(error, 'cannot be read');
  }
  try {
    attempt(content);
    return undefined;
  } catch (error) {
    return problem(error, 'cannot be used');
  }
}

function readable(path: string | undefined): path is string {
  try {
    if (path === undefined) return false;
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
