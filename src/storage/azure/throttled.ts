import { setTimeout as pause } from 'node:timers/promises';
import { type RequestPolicy, type RequestPolicyFactory, RestError } from '@azure/storage-blob';

/** How often a throttled request is sent. */
const maxTries = 3;
/** The shortest and the longest wait between tries, whatever Retry-After asks for: Postfix waits for the answer. */
const minWaitMs = 200;
const maxWaitMs = 4000;

/**
 * Repeats a request that storage answered with 429 (too many requests), after the time in Retry-After. The SDK itself
 * repeats only after 500 and 503, and ignores Retry-After.
 */
export const retryThrottled: RequestPolicyFactory = {
  create: (next): RequestPolicy => ({
    async sendRequest(request) {
      for (let tries = 1; ; tries++) {
        try {
          return await next.sendRequest(request);
        } catch (error) {
          if (tries >= maxTries || !(error instanceof RestError) || error.statusCode !== 429) throw error;
          const { abortSignal } = request;
          await pause(waitAfter(error), undefined, abortSignal instanceof AbortSignal ? { signal: abortSignal } : {});
        }
      }
    },
  }),
};

function waitAfter({ response }: RestError): number {
  const value = response?.headers.get('retry-after') ?? '';
  // RFC 9110 section 10.2.3: seconds or a date.
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? minWaitMs : Math.min(Math.max(ms, minWaitMs), maxWaitMs);
}
