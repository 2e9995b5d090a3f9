import { isToken } from './naming.ts';

/**
 * Names below `index/`. They begin with what an operator searches for, so that a search is a listing by prefix. Message
 * identities, senders and recipients stand there as keyed hashes only.
 */
const root = 'index/';

/** Which links point to a file. */
export const fileIndex = (sha256: string): string => `${root}file/${sha256}/`;
/** Links and page of a message. */
export const messageIndex = (messageKey: string): string => `${root}message/${messageKey}/`;
/** Links by reverse-path and From. */
export const senderIndex = (senderKey: string): string => `${root}sender/${senderKey}/`;
/** The recipients of the transactions of a message. */
export const transactionIndex = (messageKey: string): string => `${root}transaction/${messageKey}/`;

/** What `erase` has begun and not ended. */
export const erasingIndex = `${root}erasing/`;
export const erasingEntry = (token: string): string => erasingIndex + token;

/** Marks the token of a page, and the id of a manifest, among the tokens of links. */
const pageMark = 'page-';
const manifestMark = 'manifest-';
export const pageEntry = (token: string): string => `${pageMark}${token}`;
/** For manifests from before the index, whose ids do not begin like their message's key. */
export const manifestEntry = (id: string): string => `${manifestMark}${id}`;

/** The record of the last complete sweep: from then on every link is in the index. */
export const sweepRecord = `${root}complete/sweep`;

/** The last segment of a name. */
export const lastSegment = (name: string): string => name.slice(name.lastIndexOf('/') + 1);

export interface MessageEntry {
  readonly kind: 'link' | 'page' | 'manifest';
  /** Of the link or the page, or the manifest's id. */
  readonly token: string;
}

/** What an entry of the message index names. */
export function messageEntry(name: string): MessageEntry {
  const token = lastSegment(name);
  // A token may begin like a mark, but it is shorter than a marked name.
  if (isToken(token)) return { kind: 'link', token };
  if (token.startsWith(pageMark)) return { kind: 'page', token: token.slice(pageMark.length) };
  return { kind: 'manifest', token: token.slice(manifestMark.length) };
}
