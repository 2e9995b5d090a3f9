import type { Fields } from '../../observe/interface.ts';
import type { Exchange } from '../exchange.ts';
import type { LinkHandlerOptions } from '../options.ts';

interface Download {
  /** What lines about the same thing have in common. */
  readonly key: string;
  readonly fields: Fields;
}

/** Says what was downloaded, where the operator wants to know. */
export class DownloadLog {
  readonly #options: Pick<LinkHandlerOptions, 'lines' | 'logs'>;

  constructor(options: Pick<LinkHandlerOptions, 'lines' | 'logs'>) {
    this.#options = options;
  }

  done({ client, fields }: Pick<Exchange, 'client' | 'fields'>, download: Download): void {
    const { lines, logs } = this.#options;
    if (logs !== 'off') lines.info('download', `${client} ${download.key}`, { ...fields, ...download.fields });
  }
}
