import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { squeezedOnOneLine } from '../smtp/one-line.ts';
import type { DamagedRecords } from '../storage/damaged-record.ts';
import { pathOf, placeOf } from '../storage/directory/layout.ts';
import { ExitStatus, Findings } from './exit-status.ts';

/**
 * How a command ends that has worked on everything it could read.
 * @returns 0 @throws Findings that names records which could not be read
 */
export function endWith(damaged: DamagedRecords, { storage }: Pick<Config, 'storage'>): typeof ExitStatus.ok {
  if (damaged.count === 0) return ExitStatus.ok;
  const { directory } = storage;
  const where = (name: string): string => (directory === undefined ? name : join(directory, pathOf(placeOf(name))));
  const lines = damaged.described.map(({ record, problem }) =>
    squeezedOnOneLine(`cannot be read: ${where(record)}: ${problem}`),
  );
  const more = damaged.count - lines.length;
  throw new Findings(more === 0 ? lines : [...lines, `${more.toLocaleString('en')} more cannot be read`]);
}
