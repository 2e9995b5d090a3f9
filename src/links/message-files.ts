import { type Link, linkState, type Page } from '../storage/interface.ts';
import type { Exchange } from './exchange.ts';
import { fewAtOnce } from './few-at-once.ts';
import type { Lookup } from './lookup.ts';
import type { LinkHandlerOptions } from './options.ts';

/** Lookups at once for one request, so that others find room beside it. */
const lookupsAtOnce = 4;

/** A file of a message as its page shows it. `unchecked`: its link lives, but storage was not asked for its bytes. */
export interface MessageFile {
  readonly token: string;
  readonly link: Link;
  readonly state: 'living' | 'unchecked' | 'expired' | 'revoked' | 'missing';
}

export interface LookOptions extends Pick<LinkHandlerOptions, 'now' | 'lines' | 'meter'> {
  readonly lookup: Lookup;
  readonly exchange: Pick<Exchange, 'client' | 'fields'>;
  /** Of how many files the bytes are looked for. */
  readonly checked: number;
}

/**
 * The files behind the links of a message, in their order, without erased ones. The log names those whose bytes are
 * missing: no answer with an error will, as long as others are there.
 * @throws BusyError, Failure
 */
export async function lookAtFiles(tokens: Page['tokens'], options: LookOptions): Promise<MessageFile[]> {
  const { exchange, lines, meter } = options;
  const files = await filesOf(tokens, options);
  for (const { link, state } of files) {
    if (state !== 'missing') continue;
    meter.linkRefused('missing');
    lines.error('file-missing', link.sha256, { ...exchange.fields, sha256: link.sha256 });
  }
  return files;
}

async function filesOf(tokens: Page['tokens'], options: LookOptions): Promise<MessageFile[]> {
  const { lookup, checked } = options;
  const { client } = options.exchange;
  const now = options.now();
  const width = lookupsAtOnce;
  const found = await fewAtOnce(tokens, async (token) => ({ token, link: await lookup.link(token, client) }), {
    width,
  });
  let left = checked;
  const files = found.flatMap(({ token, link }): MessageFile[] => {
    if (!link) return [];
    const state = linkState(link, now);
    return [{ token, link, state: state !== 'living' || left-- > 0 ? state : 'unchecked' }];
  });
  const check = async (file: MessageFile): Promise<MessageFile> =>
    file.state !== 'living' || (await lookup.hasFile(file.link, client)) ? file : { ...file, state: 'missing' };
  return fewAtOnce(files, check, { width });
}

export const isThere = ({ state }: MessageFile): boolean => state === 'living' || state === 'unchecked';

/** Where one file is missing, others may be that were not looked for: their page says so. */
export const hasMissing = (files: readonly MessageFile[]): boolean => files.some(({ state }) => state === 'missing');

/** Why nothing of a message can be downloaded. */
export type NothingLeft = 'unknown' | 'allExpired' | 'allRevoked' | 'allGone';

export function nothingLeft(files: readonly MessageFile[]): NothingLeft {
  if (files.length === 0) return 'unknown';
  if (hasMissing(files)) return 'allGone';
  return files.every(({ state }) => state === 'revoked') ? 'allRevoked' : 'allExpired';
}
