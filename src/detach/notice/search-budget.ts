import { maxMarkup } from './html-scan.ts';
import { maxLines } from './newest-text.ts';

/** Of all texts of one message: each may have as many as one text, but not all of them. */
const maxLinesOfMessage = 15_000;
const maxMarkupOfMessage = 60_000;

/** How much is still read of the texts of one message, to find the places of its notices. */
export class SearchBudget {
  #lines = maxLinesOfMessage;
  #markup = maxMarkupOfMessage;

  get lines(): number {
    return Math.min(maxLines, this.#lines);
  }

  get markup(): number {
    return Math.min(maxMarkup, this.#markup);
  }

  spend({ lines, markup = 0 }: { readonly lines: number; readonly markup?: number }): void {
    this.#lines = Math.max(0, this.#lines - lines);
    this.#markup = Math.max(0, this.#markup - markup);
  }
}
