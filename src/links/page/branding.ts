import { readOperatorFile } from '../../config/operator-file.ts';
import { TemplateError } from '../notice/template-error.ts';
import { errorText } from '../../smtp/failures.ts';

/** Who keeps the files, as the pages show it. */
export interface Branding {
  readonly organisation: string | undefined;
  /** Mail address, or the address of a page. */
  readonly contact: string | undefined;
  /** A `data:` address: nothing is fetched from elsewhere. */
  readonly logo: string | undefined;
  /** `#rgb` or `#rrggbb`. */
  readonly colour: string | undefined;
}

/** The logo is part of every page, and scanners open pages more often than people do. */
const maxLogoBytes = 32_768;

const pngSignature = Buffer.from('89504e470d0a1a0a', 'hex');

/** @throws TemplateError with the key of the configuration, for a picture that cannot be read or used */
export function loadLogo(path: string): string {
  const fail = (why: string, cause?: unknown): never => {
    throw new TemplateError(`links.logo: ${path}: ${why}`, { cause });
  };
  let bytes: Buffer;
  try {
    bytes = readOperatorFile(path, { maxBytes: maxLogoBytes });
  } catch (error) {
    return fail(errorText(error), error);
  }
  const type = bytes.subarray(0, 8).equals(pngSignature) ? 'image/png' : isSvg(bytes) ? 'image/svg+xml' : undefined;
  return type ? `data:${type};base64,${bytes.toString('base64')}` : fail('is neither SVG nor PNG');
}

/** What may stand before the root element of XML; a DOCTYPE may hold declarations, as drawing programs write them. */
const prolog = /\s+|<\?[^]*?\?>|<!--[^]*?-->|<!DOCTYPE[^>[]*(?:\[[^\]]*\]\s*)?>/iy;

/** An SVG is safe here: in an `img` it runs no script and fetches nothing. */
function isSvg(bytes: Buffer): boolean {
  const text = bytes.toString('utf8').replace(/^\ufeff/, '');
  // One piece after the other: a pattern for all of them tries every way to join comments, which takes for ever.
  let at = 0;
  for (;;) {
    prolog.lastIndex = at;
    if (!prolog.test(text)) return /^<(?:[a-z][\w.-]*:)?svg[\s/>]/i.test(text.slice(at, at + 100));
    at = prolog.lastIndex;
  }
}
