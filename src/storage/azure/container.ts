import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { DefaultAzureCredential } from '@azure/identity';
import { ContainerClient, type Pipeline, type StoragePipelineOptions, newPipeline } from '@azure/storage-blob';
import type { Config } from '../../config/config.ts';
import { retryThrottled } from './throttled.ts';

/** What the SDK asks of an identity. */
type Credential = Pick<DefaultAzureCredential, 'getToken'>;

/** The container, and one of the others. */
export type StorageConfig = Partial<Config['storage']> & Pick<Config['storage'], 'container'>;

export interface ContainerOptions {
  readonly storage: StorageConfig;
  /** For `accountUrl`; the machine's own identity when none is given. */
  readonly credential?: Credential;
  /** Size of a separate pool of connections to storage; undefined: the SDK's shared pool without a limit. */
  readonly maxSockets?: number;
}

/** Few and short retries: longer outages wait in Postfix's queue, not in an open transaction. */
const options = {
  // Storage never redirects. What stands at the other address is that of a portal or a proxy. The SDK hands this on to
  // its HTTP library; its own type does not say so.
  redirectOptions: { maxRetries: 0 },
  retryOptions: { maxTries: 3, retryDelayInMs: 200, maxRetryDelayInMs: 1000 },
  userAgentOptions: { userAgentPrefix: 'detach-mta' },
} satisfies StoragePipelineOptions & { readonly redirectOptions: object };

/** How long an unused connection of a separate pool stays open. */
const idleSocketMs = 30_000;

/** The container as configured. Nothing is sent yet. */
export function openContainer({ storage, credential, maxSockets }: ContainerOptions): ContainerClient {
  const { connectionString, accountUrl, container } = storage;
  if (connectionString !== undefined) {
    const { url, credential: key } = new ContainerClient(connectionString, container);
    return new ContainerClient(url, pipelineFor(url, key, { maxSockets }));
  }
  if (accountUrl === undefined) throw new TypeError('storage: neither connectionString nor accountUrl is set');
  const url = `${accountUrl.replace(/\/+$/, '')}/${container}`;
  return new ContainerClient(url, pipelineFor(url, credential ?? machineIdentity(), { maxSockets }));
}

function pipelineFor(
  url: string,
  credential: Parameters<typeof newPipeline>[0],
  { maxSockets }: { readonly maxSockets: number | undefined },
): Pipeline {
  // The SDK hands its options on to its HTTP library, which takes an agent; the type does not say so.
  const own = maxSockets === undefined ? options : { ...options, agent: agentFor(url, maxSockets) };
  const pipeline = newPipeline(credential, own);
  pipeline.factories.push(retryThrottled);
  return pipeline;
}

function agentFor(url: string, maxSockets: number): HttpAgent {
  const settings = { keepAlive: true, maxSockets, maxFreeSockets: maxSockets, timeout: idleSocketMs };
  return url.startsWith('https:') ? new HttpsAgent(settings) : new HttpAgent(settings);
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
