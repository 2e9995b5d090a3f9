export type Result = 'ok' | 'warn' | 'fail';

/** What a check found: one thing each. */
export interface Finding {
  /** Name of the check. */
  readonly check: string;
  readonly result: Result;
  readonly message: string;
  /** What to do; empty only where `result` is `ok`. */
  readonly fix: string;
}

/** A finding as a check returns it: the name is added by the one who runs the checks. */
export type Found = Omit<Finding, 'check'>;

export const ok = (message: string): Found => ({ result: 'ok', message, fix: '' });
export const warn = (message: string, fix: string): Found => ({ result: 'warn', message, fix });
export const fail = (message: string, fix: string): Found => ({ result: 'fail', message, fix });
