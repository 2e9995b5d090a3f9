import type { DefaultAzureCredential } from '@azure/identity';
import { ContainerClient, type StoragePipelineOptions } from '@azure/storage-blob';
import type { Config } from '../../config/config.ts';

/** What the SDK asks of an identity. */
type Credential = Pick<DefaultAzureCredential, 'getToken'>;

export interface ContainerOptions {
  readonly storage: Config['storage'];
  /** For `accountUrl`; the machine's own identity when none is given. */
  readonly credential?: Credential;
}

/** Few and short: what lasts longer is for Postfix's queue to wait for, not for an open transaction. */
const pipeline: StoragePipelineOptions = {
  retryOptions: { maxTries: 3, retryDelayInMs: 200, maxRetryDelayInMs: 1000 },
  userAgentOptions: { userAgentPrefix: 'detach-mta' },
};

/** The container as configured. Nothing is sent yet. */
export function openContainer({ storage, credential }: ContainerOptions): ContainerClient {
  const { connectionString, accountUrl, container } = storage;
  if (connectionString !== undefined) return new ContainerClient(connectionString, container, pipeline);
  if (accountUrl === undefined) throw new TypeError('storage: neither connectionString nor accountUrl is set');
  const url = `${accountUrl.replace(/\/+$/, '')}/${container}`;
  return new ContainerClient(url, credential ?? machineIdentity(), pipeline);
}

/** Loaded when the first token is needed: it is a large library that most installations never use. */
function machineIdentity(): Credential {
  let identity: Promise<DefaultAzureCredential> | undefined;
  return {
    async getToken(scopes, options) {
      identity ??= import('@azure/identity').then((library) => new library.DefaultAzureCredential());
      return (await identity).getToken(scopes, options);
    },
  };
}
