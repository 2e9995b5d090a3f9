import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startPostfix } from '../../test/harness/postfix.ts';
import type { PostfixSettings } from '../../test/harness/postfix-home.ts';
import type { Peer } from './peer.ts';

/** Postfix as people run it in front of a relayhost: this repository's sending side, with higher limits. */
export async function startPostfixRelay(
  nextHop: number,
  options: { readonly name?: string; readonly settings?: PostfixSettings } = {},
): Promise<Peer> {
  const postfix = await startPostfix({
    dir: 'postfix-a',
    settings: { relayhost: `[127.0.0.1]:${nextHop}`, message_size_limit: 2_000_000_000, ...options.settings },
  });
  return {
    name: options.name ?? 'Postfix',
    port: postfix.port,
    pids: [Number(readFileSync(join(postfix.home, 'queue/pid/master.pid'), 'utf8'))],
    stop: () => postfix.stop(),
  };
}
