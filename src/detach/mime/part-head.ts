import { decodeWords } from '../../message/encoded-word.ts';
import { HeaderBlock } from '../../message/header-block.ts';
import { parseContentType, parseDisposition } from '../../message/parameters.ts';

/** What the header of an entity (RFC 2045 section 2.4) says about its body. */
export interface PartHead {
  /** As declared, in lower case; '' where there is no Content-Type. */
  readonly type: string;
  readonly params: ReadonlyMap<string, string>;
  /** '' where there is none. */
  readonly disposition: string;
  /** `filename` of the disposition and `name` of the type, decoded, where they are there. */
  readonly fileName: string | undefined;
  readonly typeName: string | undefined;
  /** In lower case; `7bit` where there is none. */
  readonly encoding: string;
  /** Without angle brackets. */
  readonly contentId: string | undefined;
  readonly contentLocation: string | undefined;
  /** Decoded; used as a name where the part has no other. */
  readonly description: string | undefined;
  /** Exchange's journal report: it holds the original message, and an archive reads it. */
  readonly journalReport: boolean;
  /**
   * False: some lines are no fields, two fields contradict each other, or a value has more parts than are read. Mail
   * programs disagree about such a part.
   */
  readonly clear: boolean;
}

/** Bytes of a part's header, and of each Content- field of the message's own: a longer one is not read. */
export const maxPartHeader = 16 * 1024;

/**
 * The header of a message whose structure is read: five times what the longest honest one has. The manifest holds the
 * whole header, in up to six times its bytes.
 */
const maxReadHeaderBytes = 512 * 1024;
const maxReadHeaderFields = 8192;

/** Why the structure of a message with this header is not read, or undefined. */
export function excessIn(header: HeaderBlock): string | undefined {
  for (const { raw } of header.allOf('content-'))
    if (raw.length > maxPartHeader) return `a Content- field of more than ${maxPartHeader} bytes`;
  if (header.raw.length > maxReadHeaderBytes) return `a header of more than ${maxReadHeaderBytes} bytes`;
  if (header.size > maxReadHeaderFields) return `a header of more than ${maxReadHeaderFields} fields`;
  return undefined;
}

const single = ['content-type', 'content-disposition', 'content-transfer-encoding', 'content-id'];

const journalFields = ['x-ms-journal-report', 'x-ms-exchange-organization-journal-report'];

export function readPartHead(header: HeaderBlock): PartHead {
  const contentType = header.first('content-type');
  const { type, params, readable } = parseContentType(contentType ?? '');
  const { disposition, ...dispositionValue } = parseDisposition(header.first('content-disposition') ?? '');
  const encoding = header.first('content-transfer-encoding') ?? '7bit';
  return {
    type,
    params,
    disposition,
    fileName: dispositionValue.params.get('filename'),
    typeName: params.get('name'),
    encoding: encoding
      .replace(/\([^()]*\)/g, '')
      .trim()
      .toLowerCase(),
    contentId: idOf(header.first('content-id') ?? ''),
    contentLocation: header.first('content-location'),
    description: wordsOf(header.first('content-description')),
    journalReport:
      journalFields.some((key) => header.first(key) !== undefined) ||
      /^\s*journal/i.test(header.first('x-ms-exchange-generated-message-source') ?? ''),
    clear: header.wellFormed && readable && dispositionValue.readable && single.every((key) => header.count(key) <= 1),
  };
}

export const parsePartHead = (raw: Buffer): PartHead => readPartHead(HeaderBlock.parse(raw));

const wordsOf = (value: string | undefined): string | undefined =>
  value === undefined ? undefined : decodeWords(value);

function idOf(value: string): string | undefined {
  const id = (/<([^<>]*)>/.exec(value) ?? /^<?([^<>]*)/.exec(value))?.[1]?.trim();
  return id === '' ? undefined : id;
}
