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

/** Long enough to begin a download, and to resume it after a pause. */
const lifetimeMs = 10 * 60_000;
/** Clocks of storage and of this machine differ. */
const skewMs = 5 * 60_000;
/** The newest form that Azurite can check as well: the SDK's own is newer, and nothing here needs what it adds. */
const sasVersion = '2025-07-05';
const delegationMs = 24 * 3_600_000;

/** Signs addresses with the account's key, or with a key that Azure lends to an identity (fetched once a day). */
export class UrlSigner {
  readonly #container: ContainerClient;
  readonly #now: () => number;
  #delegation: { readonly key: UserDelegationKey; readonly until: number } | undefined;

  constructor(container: ContainerClient, now: () => number) {
    this.#container = container;
    this.#now = now;
  }

  sign(name: string, file: SignedFile): Promise<string> {
    return attempt({ what: 'signing an address', signal: new AbortController().signal }, async ({ signal }) => {
      const now = this.#now();
      const blob = this.#container.getBlobClient(name);
      const options: BlobGenerateSasUrlOptions = {
        version: sasVersion,
        permissions: BlobSASPermissions.parse('r'),
        startsOn: new Date(now - skewMs),
        expiresOn: new Date(now + lifetimeMs),
        protocol: blob.url.startsWith('https:') ? SASProtocol.Https : SASProtocol.HttpsAndHttp,
        contentDisposition: attachment(file.name),
        contentType: file.type,
        cacheControl: 'private, no-store',
      };
      if (blob.credential instanceof StorageSharedKeyCredential) return blob.generateSasUrl(options);
      return blob.generateUserDelegationSasUrl(options, await this.#delegationKey(now, signal));
    });
  }

  async #delegationKey(now: number, abortSignal: AbortSignal): Promise<UserDelegationKey> {
    if (this.#delegation && this.#delegation.until > now + 2 * lifetimeMs) return this.#delegation.key;
    const { url, credential } = this.#container;
    const service = new BlobServiceClient(url.slice(0, url.lastIndexOf('/')), credential);
    const until = now + delegationMs;
    const key = await service.getUserDelegationKey(new Date(now - skewMs), new Date(until), { abortSignal });
    this.#delegation = { key, until };
    return key;
  }
}
