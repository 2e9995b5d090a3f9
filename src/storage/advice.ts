import type { StorageConfig } from './azure/container.ts';

interface Advice {
  readonly when: RegExp;
  readonly say: (storage: Partial<StorageConfig>) => string;
}

/** The key of the configuration that names the account. */
const accountKey = ({ connectionString }: Partial<StorageConfig>): string =>
  connectionString === undefined ? 'storage.accountUrl' : 'storage.connectionString';

/** In this order: the first one that fits. */
const advices: readonly Advice[] = [
  {
    when: /InvalidHeaderValue|is not supported by Azurite|API version/i,
    say: (storage) =>
      `${accountKey(storage)}: is this Azurite? It does not know the newest version of the protocol: start it with --skipApiVersionCheck`,
  },
  {
    when: /AuthorizationPermissionMismatch|AuthorizationProtocolMismatch|InsufficientAccountPermissions/i,
    say: ({ accountUrl, container = 'detach' }) =>
      accountUrl === undefined
        ? 'storage.connectionString: its signature must permit to read, write, delete and list'
        : `storage.accountUrl: give this identity the role "Storage Blob Data Contributor" on the container ${container}`,
  },
  {
    when: /AuthenticationFailed|AuthorizationFailure|InvalidAuthenticationInfo|\b401\b|\b403\b/i,
    say: ({ accountUrl }) =>
      accountUrl === undefined
        ? 'storage.connectionString: this AccountKey is not one of the account, or its signature has expired; also check the clock of this machine and the firewall of the account'
        : 'storage.accountUrl: the account does not accept this identity: check the tenant, the role "Storage Blob Data Contributor" and the firewall of the account',
  },
  {
    when: /ContainerNotFound|ContainerBeingDeleted|creating the container/i,
    say: ({ container = 'detach' }) =>
      `storage.container: there is no container ${container}, and it could not be made: make it, or permit us to`,
  },
  {
    when: /Credential|IMDS|managed identity|AADSTS/i,
    say: () =>
      'storage.accountUrl: this machine has no Azure identity that works: give it a managed identity, set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, or use storage.connectionString',
  },
  {
    when: /ENOTFOUND|EAI_AGAIN|getaddrinfo/i,
    say: (storage) => `${accountKey(storage)}: the name of the account cannot be resolved: check its spelling and DNS`,
  },
  {
    when: /certificate|self.signed|CERT_|UNABLE_TO|EPROTO|wrong version number|SSL routines/i,
    say: (storage) =>
      `${accountKey(storage)}: TLS with the account failed: check http or https, the certificate, NODE_EXTRA_CA_CERTS`,
  },
  {
    when: /ECONNREFUSED/i,
    say: (storage) => `${accountKey(storage)}: nothing listens there: check host and port; is the emulator started?`,
  },
  {
    when: /no answer for|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ECONNRESET|aborted|given up|socket hang up/i,
    say: (storage) => `${accountKey(storage)}: the account does not answer: check network, firewall and proxy`,
  },
  {
    when: /InvalidUri|InvalidResourceName|InvalidQueryParameterValue|OutOfRangeInput|ResourceNotFound|\b400\b|\b404\b|\b405\b/i,
    say: (storage) =>
      `${accountKey(storage)}: this is not the address of a blob service: https://ACCOUNT.blob.core.windows.net, for Azurite https://HOST:10000/devstoreaccount1`,
  },
];

const directoryAdvices: readonly Advice[] = [
  {
    when: /storageFull|storage\.reserve|ENOSPC|EDQUOT/i,
    say: () => 'storage.directory: make room on its file system, or lower storage.reserve',
  },
  {
    when: /belongs to user/i,
    say: ({ directory = '' }) =>
      `storage.directory: chown it to the user of the service: chown -R detach-mta ${directory}`,
  },
  {
    when: /open to other users/i,
    say: ({ directory = '' }) => `storage.directory: chmod 700 ${directory}`,
  },
  {
    when: /EACCES|EPERM|EROFS/i,
    say: () => 'storage.directory: the user of the service must own it, and the file system be writable',
  },
  {
    when: /ENOENT|ENOTDIR/i,
    say: ({ directory = '' }) =>
      `storage.directory: make it, owned by the user of the service: install -d -m 700 -o detach-mta ${directory}`,
  },
];

/** What to do about a failure of storage, beginning with the key of the configuration. `reason`: that of the failure. */
export function storageAdvice(reason: string, storage: Partial<StorageConfig>): string {
  const known = storage.directory === undefined ? advices : directoryAdvices;
  const advice = known.find(({ when }) => when.test(reason));
  if (advice) return advice.say(storage);
  const key = storage.directory === undefined ? accountKey(storage) : 'storage.directory';
  return `${key}: see docs/storage.md`;
}
