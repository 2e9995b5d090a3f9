import type { ChildProcess } from 'node:child_process';

/** The exit status of a process, or the name of the signal that ended it, as Ctrl-C does; null while it runs. */
export const endOf = ({ exitCode, signalCode }: ChildProcess): number | NodeJS.Signals | null => exitCode ?? signalCode;
