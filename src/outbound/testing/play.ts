import type { TestContext } from 'node:test';
import type { Session } from '../interface.ts';
import type { Overrides } from './options.ts';
import type { ScriptedPeer } from './scripted-peer.ts';
import { stage } from './stage.ts';

/** Opens a session with a peer that plays the script, and checks that it was played to its end. */
export async function play(
  t: TestContext,
  script: string,
  client: (session: Session, peer: ScriptedPeer) => Promise<void>,
  overrides: Overrides = {},
): Promise<void> {
  const { peer, acquire, end } = await stage(t, [script], overrides);
  const session = await acquire();
  try {
    await client(session, peer);
  } finally {
    session.release();
  }
  await end();
}
