import {
  BlobSASPermissions,
  type BlobGenerateSasUrlOptions,
  type ContainerClient,
  type UserDelegationKey,
  BlobServiceClient,
  SASProtocol,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import { attachment } from '../attachment.ts';
import { attempt } from './attempt.ts';
import type { SignedFile } from '../interface.ts';

const minuteMs = 60_000;
/** Long enough to begin a download, and to resume it after a pause. */
const lifetimeMs = 10 * minuteMs;
/** Tolerance for the difference between the clocks of storage and of this machine. */
const skewMs = 5 * minuteMs;
/** For a CDN the times of a signature are multiples of this: the same address repeats, and is answered at the edge. */
const roundedMs = 5 * minuteMs;
/**
 * How long an edge may cache a file. A revoked link is refused here after 3 s, the last signed address to its file
 * expires after 15 minutes, and an edge that fetched just before keeps it for 4 minutes: less than 20 minutes in all.
 */
const edgeSeconds = 240;
/** The newest form that Azurite can check as well: the SDK's own is newer, and nothing here needs what it adds. */
const sasVersion = '2025-07-05';
/** How long a delegation key from Azure is used; it is valid for twice that time. */
const delegationMs = 12 * 60 * minuteMs;

export interface UrlSignerOptions {
  readonly now: () => number;
  /** Address of a CDN in front of the account, without a slash at its end; undefined: browsers go to the account. */
  readonly cdnUrl: string | undefined;
}

/** Signs addresses with the account's key, or with a key that Azure lends to an identity. */
export class UrlSigner {
  readonly #container: ContainerClient;
  readonly #options: UrlSignerOptions;
  #delegation: { readonly key: UserDelegationKey; readonly period: number } | undefined;

  constructor(container: ContainerClient, options: UrlSignerOptions) {
    this.#container = container;
    this.#options = options;
  }

  sign(name: string, file: SignedFile): Promise<string> {
    return attempt({ what: 'signing an address', signal: new AbortController().signal }, async ({ signal }) => {
      const { now, cdnUrl } = this.#options;
      const at = now();
      const blob = this.#container.getBlobClient(name);
      const options: BlobGenerateSasUrlOptions = {
        version: sasVersion,
        permissions: BlobSASPermissions.parse('r'),
        protocol: blob.url.startsWith('https:') ? SASProtocol.Https : SASProtocol.HttpsAndHttp,
        contentDisposition: attachment(file.name),
        contentType: file.type,
        ...(cdnUrl === undefined ? forOneReader(at) : forEdges(at)),
      };
      const signed =
        blob.credential instanceof StorageSharedKeyCredential
          ? await blob.generateSasUrl(options)
          : await blob.generateUserDelegationSasUrl(options, await this.#delegationKey(at, signal));
      return cdnUrl === undefined ? signed : this.#atCdn(signed, cdnUrl);
    });
  }

  /** The signature covers account and path, not the host: path and query stay as they are. */
  #atCdn(signed: string, cdnUrl: string): string {
    const { pathname, search } = new URL(signed);
    // Azure has no path before the container. An emulator has the account's name there, and so may the address of the CDN.
    const account = new URL(this.#container.url).pathname.replace(/\/[^/]*$/, '');
    return cdnUrl + (cdnUrl.endsWith(account) ? pathname.slice(account.length) : pathname) + search;
  }

  /** The key's times are part of each address, so all replicas and processes use the same times. */
  async #delegationKey(now: number, abortSignal: AbortSignal): Promise<UserDelegationKey> {
    const period = now - (now % delegationMs);
    if (this.#delegation?.period === period) return this.#delegation.key;
    const { url, credential } = this.#container;
    const service = new BlobServiceClient(url.slice(0, url.lastIndexOf('/')), credential);
    const [from, until] = [new Date(period - skewMs), new Date(period + 2 * delegationMs)];
    const key = await service.getUserDelegationKey(from, until, { abortSignal });
    this.#delegation = { key, period };
    return key;
  }
}

type Times = Pick<BlobGenerateSasUrlOptions, 'startsOn' | 'expiresOn' | 'cacheControl'>;

const forOneReader = (now: number): Times => ({
  startsOn: new Date(now - skewMs),
  expiresOn: new Date(now + lifetimeMs),
  cacheControl: 'private, no-store',
});

function forEdges(now: number): Times {
  const period = now - (now % roundedMs);
  return {
    startsOn: new Date(period - skewMs),
    expiresOn: new Date(period + roundedMs + lifetimeMs),
    cacheControl: `public, max-age=${edgeSeconds}, must-revalidate`,
  };
}
