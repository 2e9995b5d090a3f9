import type { Step } from '../interface.ts';
import { fail, type Found, ok, warn } from '../finding.ts';
import { errorText } from '../../smtp/failures.ts';
import { getUrl } from './get-url.ts';

export interface Trial extends Step {
  /** The page of the link. */
  readonly at: URL;
  readonly bytes: Buffer;
}

/** Whether a part of the file comes as it was stored, and in a form that no browser runs. */
export async function download({ at, bytes, context, signal }: Trial): Promise<readonly Found[]> {
  const { baseUrl, delivery } = context.config.links;
  const where = `${baseUrl}: a download`;
  try {
    const got = await getUrl(new URL(`${at.href}/file`), { signal, headers: { Range: 'bytes=1000-1999' } });
    if (delivery === 'redirect')
      return got.status >= 300 && got.status < 400 && got.headers.location !== undefined
        ? [ok(`${where} is redirected to storage`)]
        : [
            fail(
              `${where} is not redirected but answered ${got.status}`,
              'let the web server in front pass redirects on',
            ),
          ];
    return [
      judgeRange(where, { status: got.status, same: got.body.equals(bytes.subarray(1000, 2000)) }),
      ...headersOf(got.headers, where),
    ];
  } catch (error) {
    const reason = errorText(error);
    return [fail(`${where} breaks: ${reason}`, 'look at the log of the web server in front')];
  }
}

function judgeRange(where: string, { status, same }: { readonly status: number; readonly same: boolean }): Found {
  if (status === 206 && same) return ok(`${where} has ranges, as they were stored`);
  if (status === 200)
    return warn(
      `${where} comes whole when a part is asked for: broken downloads begin anew`,
      'let the web server in front pass Range and If-Range on, without a cache for downloads',
    );
  return fail(
    `${where} is answered ${status}${status === 206 ? ' with other bytes' : ''}`,
    'let the web server in front pass downloads on as they are, without changing them',
  );
}

function headersOf(headers: Readonly<Record<string, unknown>>, where: string): readonly Found[] {
  const needed = ['content-disposition', 'content-security-policy', 'x-content-type-options', 'etag'];
  const missing = needed.filter((name) => !(name in headers));
  return missing.length === 0
    ? []
    : [
        warn(
          `${where} lacks ${missing.join(', ')}: the web server in front strips them`,
          'let it pass our headers on: without them a browser may show a file as a page of this host',
        ),
      ];
}
