import { create } from 'content-disposition';

/**
 * The Content-Disposition under which a file leaves storage (RFC 6266): always to be saved, never to be shown.
 * ASCII only, the name in UTF-8 by RFC 8187 beside it where it needs that.
 */
export function attachment(name: string): string {
  // Some browsers decode `%41` in the plain parameter. Unpaired surrogates have no UTF-8.
  return create(Buffer.from(name).toString(), {
    type: 'attachment',
    fallback: name.replace(/[^\x20-\x7e]|%(?=[0-9a-f]{2})/gi, '_'),
  });
}
