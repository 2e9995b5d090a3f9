import { ConfigError } from '../config/config-error.ts';
import { RestoreError, type RestoreProblem } from '../detach/restore/restore-error.ts';
import { TemplateError } from '../links/notice/template-error.ts';
import { Failure, type FailureName } from '../smtp/failures.ts';
import { squeezedOnOneLine } from '../smtp/one-line.ts';

/** The exit statuses of commands: the numbers of sysexits.h, and 1 when a command ran and found something wrong. */
export const ExitStatus = {
  ok: 0,
  found: 1,
  usage: 64,
  data: 65,
  notThere: 66,
  unavailable: 69,
  software: 70,
  io: 74,
  config: 78,
} as const;

export type ExitStatus = (typeof ExitStatus)[keyof typeof ExitStatus];

/** A command cannot do what it was asked to do. The message is one line for a person. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** A command has done its work and found something wrong. */
export class Findings extends Error {
  override readonly name = 'Findings';
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(lines[0]);
    this.lines = lines;
  }
}

export interface Ending {
  readonly status: number;
  /** One line for each thing that is wrong. */
  readonly lines: readonly string[];
}

const restoreStatus = {
  foreign: ExitStatus.data,
  changed: ExitStatus.data,
  fileGone: ExitStatus.notThere,
  storage: ExitStatus.unavailable,
} as const satisfies Record<RestoreProblem, ExitStatus>;

/** How a command that threw `error` ends. Only here does an error become lines and a status. */
export function endingOf(error: unknown): Ending {
  if (error instanceof ConfigError) return { status: ExitStatus.config, lines: error.lines };
  if (error instanceof Findings) return { status: ExitStatus.found, lines: error.lines };
  // The reader of the output has closed it, as `head` does.
  if (error instanceof Error && codeOf(error) === 'EPIPE') return { status: ExitStatus.io, lines: [] };
  const { status, message } = describe(error);
  return { status, lines: [squeezedOnOneLine(message)] };
}

function describe(error: unknown): { readonly status: number; readonly message: string } {
  if (!(error instanceof Error)) return { status: ExitStatus.software, message: `internal error: ${String(error)}` };
  const { message } = error;
  if (error instanceof CommandError) return { status: error.status, message };
  if (error instanceof TemplateError) return { status: ExitStatus.config, message };
  if (error instanceof RestoreError) return { status: restoreStatus[error.problem], message };
  if (error instanceof Failure) return describeFailure(error);
  // Errors of the operating system: a full disk, a closed pipe, a file without rights.
  if ('syscall' in error) return { status: ExitStatus.io, message };
  return { status: ExitStatus.software, message: `internal error: ${message}${whereThrown(error)}` };
}

/** An operator must find the record that cannot be read. */
function describeFailure({ kind, message, record }: Failure): { readonly status: number; readonly message: string } {
  const status = failureStatuses.get(kind) ?? ExitStatus.io;
  return { status, message: record === undefined ? message : `${message} (${record})` };
}

/** The exit status for each failure; for all others our own resources are short. */
const failureStatuses: ReadonlyMap<FailureName, ExitStatus> = new Map([
  ['storageFailed', ExitStatus.unavailable],
  ['storageFull', ExitStatus.unavailable],
  ['nextHopUnreachable', ExitStatus.unavailable],
  ['headerTooLarge', ExitStatus.data],
  ['messageTooBig', ExitStatus.data],
  ['bareLineFeed', ExitStatus.data],
]);

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : '';
}

/** The first line of the stack: all that a report of a bug needs of it. */
function whereThrown({ stack }: Error): string {
  const line = /\n\s+at (.*)/.exec(stack ?? '')?.[1];
  return line === undefined ? '' : ` (at ${line.replace(/file:\/\/\S*\/(?=[^/]+$)/, '')})`;
}
