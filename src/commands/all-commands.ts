import type { Command } from './command.ts';

/**
 * What each command's code is loaded by, in the order of `--help`: a process loads only the command that it runs. A name
 * of two words makes a group: `links list`.
 */
const loaders: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import('./serve.ts')).serve,
  config: async () => (await import('./config.ts')).config,
  doctor: async () => (await import('./doctor.ts')).doctor,
  explain: async () => (await import('./explain.ts')).explain,
  restore: async () => (await import('./restore.ts')).restore,
  'links list': async () => (await import('./links-list.ts')).linksList,
  'links show': async () => (await import('./links-show.ts')).linksShow,
  'links revoke': async () => (await import('./links-change.ts')).linksRevoke,
  'links unrevoke': async () => (await import('./links-change.ts')).linksUnrevoke,
  'links extend': async () => (await import('./links-change.ts')).linksExtend,
  'links hold': async () => (await import('./links-change.ts')).linksHold,
  'links release': async () => (await import('./links-change.ts')).linksRelease,
  'links erase': async () => (await import('./links-erase.ts')).linksErase,
  stats: async () => (await import('./stats.ts')).stats,
  sweep: async () => (await import('./sweep.ts')).sweep,
};

export const commandNames: readonly string[] = Object.keys(loaders);

/** @returns undefined when there is no such command */
export async function loadCommand(name: string): Promise<Command | undefined> {
  return Object.hasOwn(loaders, name) ? await loaders[name]?.() : undefined;
}

export const allCommands = (): Promise<readonly Command[]> => Promise.all(Object.values(loaders).map((load) => load()));
