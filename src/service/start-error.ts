import type { FailedStart } from './messages.ts';

/** As in sysexits.h: a bug. */
const exSoftware = 70;

/** A process of the service did not start. */
export class StartError extends Error {
  /** As in sysexits.h. */
  readonly status: number;
  /** The system's, such as EADDRINUSE. */
  readonly code: string | undefined;

  constructor({ name, message, code }: FailedStart, status: number) {
    super(message);
    this.name = name;
    this.status = status;
    this.code = code;
  }

  /** It ended without saying why. */
  static ended(process: string, end: { readonly status: number | null; readonly signal: string | null }): StartError {
    const message = `the process "${process}" ended at its start (${end.status ?? end.signal ?? 'unknown'})`;
    return new StartError({ name: 'StartError', message }, end.status ?? exSoftware);
  }
}
