/**
 * Names below `index/`. They hold what an operator's question starts from, so that the answer is a listing by prefix.
 * Message identities, senders and recipients stand there as keyed hashes only.
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

/** Marks the token of a page among those of links. */
export const pageMark = 'page-';
export const pageEntry = (token: string): string => `${pageMark}${token}`;

/** The last segment of a name. */
export const lastSegment = (name: string): string => name.slice(name.lastIndexOf('/') + 1);
