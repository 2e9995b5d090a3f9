import type { Fields } from '../../observe/interface.ts';
import type { Exchange } from '../exchange.ts';
import type { LinkHandlerOptions } from '../options.ts';

interface Download {
  readonly delivery: 'stream' | 'archive' | 'redirect';
  /** Bytes that went through this process. */
  readonly bytes?: number;
  /** Key of repeated lines: lines with the same key are counted together. */
  readonly key: string;
  readonly fields: Fields;
}

/** Counts downloads, and says what was downloaded where the operator wants to know. */
export class DownloadLog {
  readonly #options: Pick<LinkHandlerOptions, 'lines' | 'logs' | 'meter'>;

  constructor(options: Pick<LinkHandlerOptions, 'lines' | 'logs' | 'meter'>) {
    this.#options = options;
  }

  done({ client, fields }: Pick<Exchange, 'client' | 'fields'>, { key, ...download }: Download): void {
    const { lines, logs, meter } = this.#options;
    const { delivery, bytes } = download;
    meter.download(delivery, bytes ?? 0);
    if (logs === 'off') return;
    lines.info('download', `${client} ${key}`, {
      ...fields,
      delivery,
      ...(bytes !== undefined && { bytes }),
      ...download.fields,
    });
  }
}
