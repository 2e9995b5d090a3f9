import { renameSync, rmSync, writeFileSync } from 'node:fs';

/** Written beside its place and then moved there: a full disk or an interruption leaves no half of it for the next start. */
export function writeWhole(file: string, text: string, mode = 0o644): void {
  const next = `${file}.${process.pid}`;
  try {
    writeFileSync(next, text, { mode });
    renameSync(next, file);
  } catch (error) {
    rmSync(next, { force: true });
    throw error;
  }
}
