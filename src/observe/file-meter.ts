import { Counter, type Registry } from 'prom-client';
import type { Meter } from './interface.ts';
import { labelledCounter } from './labelled-counter.ts';

/** Figures of files on their way to storage and back. */
export function fileMeter(registry: Registry): Pick<Meter, 'fileDetached' | 'storageFailure' | 'fileCorrupt'> {
  const files = labelledCounter(registry, {
    name: 'files_detached_total',
    help: 'Files moved to storage, by whether storage had them already.',
    label: 'result',
    values: ['stored', 'present'],
  });
  const fileBytes = labelledCounter(registry, {
    name: 'files_detached_bytes_total',
    help: 'Decoded bytes of files moved to storage.',
    label: 'result',
    values: ['stored', 'present'],
  });
  const storageFailures = new Counter({
    name: 'detach_mta_storage_failures_total',
    help: 'Messages whose files could not be stored.',
    registers: [registry],
  });
  const corruptFiles = new Counter({
    name: 'detach_mta_files_corrupt_total',
    help: 'Downloads cut because the stored bytes were not those that were stored.',
    registers: [registry],
  });
  return {
    fileDetached(result, size) {
      files.inc({ result });
      fileBytes.inc({ result }, size);
    },
    storageFailure: () => storageFailures.inc(),
    fileCorrupt: () => corruptFiles.inc(),
  };
}
