/**
 * Whether something in front of us swallows downloads: a web server that takes a file as fast as we give it fills its
 * own disk, and our limits for slow readers see none of them.
 *
 * A download is begun and not read. After a while our own figures say whether it has left us whole all the same.
 */
import { randomBytes } from 'node:crypto';
import { get as getHttp, type IncomingMessage } from 'node:http';
import { get as getHttps } from 'node:https';
import { finished } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { hostPort } from '../../smtp/host-port.ts';
import type { Blobs } from '../../storage/blobs.ts';
import { type Found, ok, warn } from '../finding.ts';
import type { Context, Step } from '../interface.ts';
import { getUrl } from './get-url.ts';
import { type TrialOptions, withTrialBlob } from './trial-blob.ts';
import { withTrialLink } from './trial-link.ts';

/** More than the buffers of all sockets on the way together. */
const bigBytes = 24 * 1024 * 1024;

/**
 * How long the download stays unread, looked at each `lookMs`: at least, and how many times as long as a reader needs who
 * takes all of it from us without a web server between. A machine that is busy makes both slower.
 */
const leastUnreadMs = 2000;
const timesRead = 4;
const lookMs = 250;
const answerMs = 10_000;

export async function buffering(blobs: Blobs, { context, signal }: Step): Promise<readonly Found[]> {
  const { links } = context.config;
  const { hostname, port, protocol } = new URL(links.baseUrl);
  const direct = protocol === 'http:' && hostname === links.address && Number(port || 80) === links.port;
  // Nothing stands in front, or the bytes do not come through us.
  if (direct || links.delivery === 'redirect') return [];
  return withBigLink({ blobs, signal }, async (at) => {
    const unreadMs = Math.max(leastUnreadMs, timesRead * (await readingMs(links, at)));
    const before = await downloadedBytes(context, signal);
    if (before === undefined) return [ok('whether downloads are buffered is not known: /metrics does not answer')];
    const isOver = async (): Promise<boolean> => {
      const now = await downloadedBytes(context, signal);
      return now !== undefined && now - before >= bigBytes;
    };
    const swallowed = await leavesUnread(new URL(`${links.baseUrl}/${at}/file`), { unreadMs, isOver });
    return swallowed
      ? [
          warn(
            'the web server in front takes downloads faster than readers do, and keeps them on its own disk or in memory',
            'turn that off for our address: proxy_buffering off (nginx), flushpackets=on (Apache)',
          ),
        ]
      : [ok('downloads are not buffered on the way')];
  });
}

function withBigLink<T>(where: Omit<TrialOptions, 'bytes'>, work: (token: string) => Promise<T>): Promise<T> {
  // Zeros but for its beginning: nobody else has it.
  const bytes = Buffer.alloc(bigBytes);
  randomBytes(32).copy(bytes);
  return withTrialBlob({ ...where, bytes }, (trial) => withTrialLink(trial, work));
}

/** What all downloads have had, as our figures say; undefined when they cannot be had. */
async function downloadedBytes({ config: { metrics } }: Context, signal: AbortSignal): Promise<number | undefined> {
  try {
    const { body } = await getUrl(new URL(`http://${hostPort(metrics.address, metrics.port)}/metrics`), { signal });
    const found = /^detach_mta_download_bytes_total\{delivery="stream"\} (\S+)$/m.exec(body.toString());
    return found === null ? undefined : Number(found[1]);
  } catch {
    return undefined;
  }
}

/** How long a reader takes for the whole file who comes to us directly; 0 when we do not answer there. */
async function readingMs({ address, port }: Context['config']['links'], at: string): Promise<number> {
  const began = performance.now();
  try {
    await withDownload(new URL(`http://${hostPort(address, port)}/${at}/file`), (response) =>
      finished(response.resume()),
    );
    return performance.now() - began;
  } catch {
    return 0;
  }
}

interface Unread {
  readonly unreadMs: number;
  readonly isOver: () => Promise<boolean>;
}

/** Begins a download, reads nothing of it, and asks `isOver` for a while. */
function leavesUnread(url: URL, { unreadMs, isOver }: Unread): Promise<boolean> {
  return withDownload(url, async (response) => {
    response.on('error', () => undefined);
    // It stays idle on purpose.
    response.setTimeout(0);
    response.pause();
    const began = performance.now();
    do {
      await delay(lookMs);
      if (await isOver()) return true;
    } while (performance.now() - began < unreadMs);
    return false;
  });
}

async function withDownload<T>(url: URL, work: (response: IncomingMessage) => Promise<T>): Promise<T> {
  const get = url.protocol === 'https:' ? getHttps : getHttp;
  const request = get(url, { agent: false, rejectUnauthorized: false });
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request.on('response', resolve);
      request.on('error', reject);
      request.setTimeout(answerMs, () => request.destroy(new Error('no answer')));
    });
    return await work(response);
  } finally {
    request.on('error', () => undefined);
    request.destroy();
  }
}
