import { Counter, Gauge, type Registry } from 'prom-client';
import type { Meter } from './interface.ts';
import { labelledCounter } from './labelled-counter.ts';

/** Figures of links and their readers. */
export function readerMeter(
  registry: Registry,
): Pick<Meter, 'page' | 'download' | 'linkRefused' | 'linkMade' | 'readerBusy' | 'stored'> {
  const pages = new Counter({
    name: 'detach_mta_pages_total',
    help: 'Pages that showed a file or the files of a message.',
    registers: [registry],
  });
  const deliveries = { label: 'delivery', values: ['stream', 'archive', 'redirect'] } as const;
  const downloads = labelledCounter(registry, {
    name: 'downloads_total',
    help: 'Answers with a file, a part of one or an archive, and redirects to storage.',
    ...deliveries,
  });
  const bytes = labelledCounter(registry, {
    name: 'download_bytes_total',
    help: 'Bytes of downloads that arrived whole; those of redirects do not pass here.',
    ...deliveries,
  });
  const refused = labelledCounter(registry, {
    name: 'links_refused_total',
    help: 'Requests of readers answered 404 or 410, by why.',
    label: 'reason',
    values: ['unknown', 'expired', 'revoked', 'missing'],
  });
  const made = new Counter({
    name: 'detach_mta_links_made_total',
    help: 'Links that did not exist before.',
    registers: [registry],
  });
  const busyReaders = new Counter({
    name: 'detach_mta_readers_busy_total',
    help: 'Requests of readers answered with 503 because too many came at once.',
    registers: [registry],
  });
  return {
    page: () => pages.inc(),
    download(delivery, count) {
      downloads.inc({ delivery });
      bytes.inc({ delivery }, count);
    },
    linkRefused: (reason) => refused.inc({ reason }),
    linkMade: () => made.inc(),
    readerBusy: () => busyReaders.inc(),
    stored: storedMeter(registry),
  };
}

/** All processes count the same storage: their figures are not added up. */
function storedMeter(registry: Registry): Meter['stored'] {
  const settings = { registers: [registry], aggregator: 'max' as const };
  const files = new Gauge({
    name: 'detach_mta_stored_files',
    help: 'Files in storage, as the last sweep found them.',
    ...settings,
  });
  const bytes = new Gauge({
    name: 'detach_mta_stored_bytes',
    help: 'Bytes of files in storage, as the last sweep found them.',
    ...settings,
  });
  const links = new Gauge({
    name: 'detach_mta_stored_links',
    help: 'Links in storage by state, as the last sweep found them.',
    labelNames: ['state'],
    ...settings,
  });
  for (const state of ['living', 'expired', 'revoked']) links.set({ state }, 0);
  const at = new Gauge({
    name: 'detach_mta_last_sweep_timestamp_seconds',
    help: 'When the last sweep that ran through began, in seconds since 1970; 0: never, or not read yet.',
    ...settings,
  });
  return (found) => {
    files.set(found.files);
    bytes.set(found.bytes);
    for (const [state, count] of Object.entries(found.links)) links.set({ state }, count);
    at.set(found.at / 1000);
  };
}
