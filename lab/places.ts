import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { freePort } from '../test/harness/ports.ts';
import { privateDirectory } from '../test/harness/private-directory.ts';
import type { Access } from './access.ts';
import type { LabSettings } from './settings.ts';
import type { StorageKind } from './storage.ts';
import { writeWhole } from './write-whole.ts';

/** Where everything listens, on 127.0.0.1. */
export interface LabPorts {
  readonly postfixA: number;
  readonly detach: number;
  readonly links: number;
  readonly metrics: number;
  readonly postfixB: number;
  readonly lmtp: number;
  readonly imap: number;
  readonly azurite: number;
  /** Where one Postfix takes its own mail back from Detach MTA. */
  readonly reinject: number;
  /** Where people's mail programs send: with STARTTLS, and with TLS from the first byte. */
  readonly submission: number;
  readonly submissions: number;
  /** IMAP with TLS from the first byte. */
  readonly imaps: number;
  readonly webmail: number;
}

/** Called for each server that has started and will be stopped; throws when the lab is to stop. */
export type Started = (what: string, address: string, purpose: string) => void;

/** What each part of the lab is started with. */
export interface LabOptions {
  readonly home: string;
  readonly ports: LabPorts;
  readonly storage: StorageKind;
  readonly started: Started;
  /** How people log in; without it there is no TLS, no submission and no webmail. */
  readonly access?: Access;
  readonly settings?: LabSettings;
}

/** Above 1023 and different from the usual ports, so that the lab can run beside a real mail server. */
const usualPorts: LabPorts = {
  postfixA: 2525,
  detach: 10025,
  links: 8025,
  metrics: 9464,
  postfixB: 2526,
  lmtp: 2424,
  imap: 2143,
  azurite: 10000,
  reinject: 10026,
  submission: 2587,
  submissions: 2465,
  imaps: 2993,
  webmail: 8026,
};

const names: Readonly<Record<keyof LabPorts, string>> = {
  postfixA: 'Postfix A',
  detach: 'Detach MTA (mail)',
  links: 'Detach MTA (links)',
  metrics: 'Detach MTA (metrics)',
  postfixB: 'Postfix B',
  lmtp: 'Dovecot (LMTP)',
  imap: 'Dovecot (IMAP)',
  azurite: 'Azurite',
  reinject: 'Postfix (back from Detach MTA)',
  submission: 'Postfix A (submission)',
  submissions: 'Postfix A (submission, TLS)',
  imaps: 'Dovecot (IMAP, TLS)',
  webmail: 'webmail',
};

export const repository = join(import.meta.dirname, '..');

/**
 * `.lab` in the checkout. Postfix and Dovecot work as users of their own, which cannot enter, say, /root: the lab then
 * lives under /var/tmp, and `.lab` is a link to it.
 */
function labHome(): string {
  const home = join(repository, '.lab');
  const found = lstatSync(home, { throwIfNoEntry: false });
  if (found?.isSymbolicLink()) {
    mkdirSync(readlinkSync(home), { recursive: true });
  } else if (!found && openToAll(repository)) {
    mkdirSync(home, { mode: 0o755 });
  } else if (!found) {
    const name = createHash('sha256').update(repository).digest('hex').slice(0, 12);
    const elsewhere = `/var/tmp/detach-mta-lab-${name}`;
    mkdirSync(elsewhere, { recursive: true, mode: 0o755 });
    symlinkSync(elsewhere, home);
  }
  return ours(realpathSync(home));
}

/**
 * Names below /var/tmp are known to everybody: who makes such a directory first could lead what the lab writes, as root, to
 * other files. @throws Error when it is not ours alone
 */
function ours(home: string): string {
  const { uid, mode } = statSync(home);
  if (uid === process.geteuid?.() && (mode & 0o022) === 0) return home;
  throw new Error(`${home}: must belong to you, and nobody else may write there`);
}

/** Where a lab lives and listens. */
export interface Place {
  readonly home: string;
  readonly ports: LabPorts;
}

/**
 * The lab of this checkout on its usual ports, or one in another directory, on free ports that it keeps.
 * @throws Error when others may write in that directory, or when Postfix and Dovecot, which work as users of their own, could
 * not enter it
 */
export async function labPlace(directory?: string): Promise<Place> {
  if (directory === undefined) return { home: labHome(), ports: usualPorts };
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const home = ours(realpathSync(directory));
  if (!openToAll(home)) throw new Error(`${home}: other users cannot enter it, and the servers work as such`);
  const file = join(home, 'ports.json');
  if (!existsSync(file)) writeWhole(file, JSON.stringify(await freePorts()));
  return { home, ports: JSON.parse(readFileSync(file, 'utf8')) as LabPorts };
}

/** A temporary home and free ports for one run beside other programs. */
export async function temporaryPlace(): Promise<Place> {
  return { home: privateDirectory('lab'), ports: await freePorts() };
}

async function freePorts(): Promise<LabPorts> {
  const ports: Record<string, number> = {};
  for (const name of Object.keys(usualPorts)) ports[name] = await freePort();
  return ports as unknown as LabPorts;
}

/** @throws Error naming every port that is in use */
export async function assertFree(ports: LabPorts): Promise<void> {
  const taken = await takenPorts(ports);
  if (taken.length === 0) return;
  const lines = taken.map((name) => `  127.0.0.1:${ports[name]}, wanted for ${names[name]}\n`);
  throw new Error(
    `these ports are taken by something else (\`ss -ltnp\` tells by what):\n${lines.join('')}` +
      'Stop it, or take free ports: npm run lab -- --home DIR stays up, npm run lab -- --once does not',
  );
}

export async function takenPorts(ports: LabPorts): Promise<(keyof LabPorts)[]> {
  const taken: (keyof LabPorts)[] = [];
  for (const name of Object.keys(names) as (keyof LabPorts)[]) {
    if (!(await isFree(ports[name]))) taken.push(name);
  }
  return taken;
}

function openToAll(directory: string): boolean {
  for (let path = directory; ; path = dirname(path)) {
    if ((statSync(path).mode & 0o001) === 0) return false;
    if (path === dirname(path)) return true;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
