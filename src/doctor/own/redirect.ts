import { openBlobs } from '../../storage/store.ts';
import { fileBlob } from '../../storage/naming.ts';
import { fail, type Found, ok } from '../finding.ts';
import type { Check, Context } from '../interface.ts';
import { errorText } from '../../smtp/failures.ts';
import { getUrl } from './get-url.ts';
import { withTrialBlob } from './trial-blob.ts';

/** With `links.delivery: redirect`: whether we may sign addresses, and whether a browser gets the bytes there. */
export const redirect: Check = {
  name: 'redirect',
  run: async ({ config }, signal) => {
    if (config.links.delivery !== 'redirect') return [];
    const blobs = openBlobs(config);
    try {
      return [
        await withTrialBlob({ blobs, signal }, async ({ sha256, bytes }) => {
          const url = await blobs.signedUrl(fileBlob(sha256), { name: 'trial.bin', type: 'application/octet-stream' });
          return follow(config, { url, bytes, signal });
        }),
      ];
    } catch (error) {
      const reason = errorText(error);
      return [fail(`addresses for readers cannot be signed: ${reason}`, signingAdvice(config))];
    }
  },
};

const signingAdvice = ({ storage }: Context['config']): string =>
  storage.connectionString === undefined
    ? 'give this identity the role "Storage Blob Delegator" on the account, or set links.delivery: stream'
    : 'storage.connectionString needs AccountName and AccountKey for that; or set links.delivery: stream';

interface Signed {
  readonly url: string;
  readonly bytes: Buffer;
  readonly signal: AbortSignal;
}

/** The address holds a signature: nothing of its query may be shown. */
async function follow({ links }: Context['config'], { url, bytes, signal }: Signed): Promise<Found> {
  const { host } = new URL(url);
  const fix =
    links.cdnUrl === undefined
      ? 'open the firewall of the storage account to readers, or set links.delivery: stream'
      : 'compare links.cdnUrl and the rules of the CDN with docs/cdn.md: path and query must reach the account unchanged';
  try {
    const got = await getUrl(new URL(url), { signal, headers: { Range: 'bytes=1000-1999' } });
    if (got.status === 206 && got.body.equals(bytes.subarray(1000, 2000)))
      return ok(`${host} answers readers with ranges`);
    if (got.status === 200) return fail(`${host} ignores ranges: a broken download begins anew`, fix);
    return fail(`${host} answers ${got.status} to a signed address`, fix);
  } catch (error) {
    return fail(`${host}: ${errorText(error)}`, fix);
  }
}
