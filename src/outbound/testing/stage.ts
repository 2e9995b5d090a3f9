import type { TestContext } from 'node:test';
import type { NextHop, Session } from '../interface.ts';
import { createNextHop } from '../next-hop.ts';
import { loopback, nextHopOptions, RecordingLog, type Overrides } from './options.ts';
import { ScriptedPeer } from './scripted-peer.ts';

/** A scripted peer, and the pool of sessions to it. */
export interface Stage {
  readonly peer: ScriptedPeer;
  readonly hop: NextHop;
  readonly log: RecordingLog;
  /** Open and idle sessions, as last counted. */
  readonly count: { readonly open: number; readonly idle: number };
  /** Resolves when so many are open. */
  readonly open: (wanted: number) => Promise<void>;
  readonly acquire: (fresh?: boolean) => Promise<Session>;
  /** Closes the pool; rejects when a script was not played to its end. */
  readonly end: () => Promise<void>;
}

/** The peer follows one script for each connection. */
export async function stage(t: TestContext, scripts: readonly string[], overrides: Overrides = {}): Promise<Stage> {
  const peer = await ScriptedPeer.listen(t, ...scripts);
  const log = new RecordingLog();
  const count = { open: 0, idle: 0 };
  let counted = (): void => undefined;
  const options = nextHopOptions([loopback(peer.port)], { log, ...overrides });
  const hop = createNextHop({
    ...options,
    meter: {
      ...options.meter,
      nextHopSessions: (open, idle) => {
        Object.assign(count, { open, idle });
        counted();
      },
    },
  });
  t.after(() => hop.close());
  const open = (wanted: number): Promise<void> =>
    new Promise((resolve) => {
      counted = () => {
        if (count.open === wanted) resolve();
      };
      counted();
    });
  return {
    peer,
    hop,
    log,
    count,
    open,
    acquire: (fresh = false) => hop.acquire({ signal: t.signal, fresh }),
    end: async () => {
      await hop.close();
      await peer.done();
    },
  };
}
