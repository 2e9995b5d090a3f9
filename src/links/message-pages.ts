import type { Page } from '../storage/interface.ts';
import { type Exchange, sendPage } from './exchange.ts';
import type { Lookup } from './lookup.ts';
import {
  isThere,
  lookAtFiles,
  type LookOptions,
  type MessageFile,
  type NothingLeft,
  nothingLeft,
} from './message-files.ts';
import type { LinkHandlerOptions } from './options.ts';
import { type Extent, messagePage } from './page/message-page.ts';
import type { Route } from './route.ts';

/** Files on one page: with the longest names they weigh less than 20 kB. Longer lists have several pages. */
const filesPerPage = 40;

/** Files whose bytes are looked up for one view. For the others only their links are read. */
const checkedPerView = 20;

/** A request for the page of a message, and the page. */
export interface WantedPage extends Route {
  readonly page: Page;
}

/** Answers requests for the page of a message. */
export class MessagePages {
  readonly #options: LinkHandlerOptions;
  readonly #lookup: Lookup;

  constructor(options: LinkHandlerOptions, lookup: Lookup) {
    this.#options = options;
    this.#lookup = lookup;
  }

  /** @returns why there is nothing to show; undefined when the answer was given. @throws BusyError, Failure */
  async answer(exchange: Exchange, { token, piece, page }: WantedPage): Promise<NothingLeft | undefined> {
    const { frame, shown, basePath } = this.#options;
    const extent = extentOf(page.tokens.length, piece);
    const files = await this.#look(page.tokens.slice(extent.from, extent.to), { exchange, checked: checkedPerView });
    if (!files.some(isThere)) {
      const elsewhere = [...page.tokens.slice(0, extent.from), ...page.tokens.slice(extent.to)];
      const others = await this.#look(elsewhere, { exchange, checked: 0 });
      if (!others.some(isThere)) return nothingLeft([...files, ...others]);
    }
    const html = messagePage(page, files, { frame, shown, language: exchange.language, basePath, token, extent });
    this.#options.meter.page();
    sendPage(exchange, frame, { status: 200, html });
    return undefined;
  }

  #look(tokens: readonly string[], looking: Pick<LookOptions, 'exchange' | 'checked'>): Promise<MessageFile[]> {
    return lookAtFiles(tokens, { ...this.#options, lookup: this.#lookup, ...looking });
  }
}

/** `piece` counts from 1; one beyond the last is the last. */
function extentOf(total: number, piece: number): Extent {
  const step = filesPerPage;
  const from = Math.min(piece - 1, Math.max(Math.ceil(total / step) - 1, 0)) * step;
  return { from, to: Math.min(from + step, total), total, step };
}
