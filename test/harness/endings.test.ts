import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startForeground } from './foreground.ts';
import { freePort } from './ports.ts';

const tells = async (end: string): Promise<Error> => {
  const options = { args: ['-c', end], port: await freePort(), signal: 'SIGKILL' } as const;
  return startForeground('sh', options).then(
    () => assert.fail('it has started'),
    (error: unknown) => error as Error,
  );
};

test('a program that ends while it is waited for is told of at once, by a signal as well as by its status', async () => {
  assert.match((await tells('echo why >&2; exit 3')).message, /^sh ended with 3:\nwhy/);
  assert.match((await tells('kill -INT $$')).message, /^sh ended with SIGINT:/);
});
