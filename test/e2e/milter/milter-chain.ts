import { startAzurite, type Azurite } from '../../harness/azurite.ts';
import { startDetach, type ConfigTree, type DetachInstance } from '../../harness/detach-mta.ts';
import { startPostfix, type PostfixInstance, type PostfixOptions } from '../../harness/postfix.ts';
import type { Scenario } from '../../harness/scenario.ts';
import { startSink, type Sink } from '../../harness/sink.ts';

export interface MilterChain {
  readonly postfix: PostfixInstance;
  readonly detach: DetachInstance;
  readonly sink: Sink;
  readonly azurite: Azurite;
}

export interface MilterChainOptions {
  readonly detach?: ConfigTree;
  readonly postfix?: PostfixOptions['settings'];
  /** Files beside main.cf. */
  readonly files?: PostfixOptions['files'];
  readonly master?: PostfixOptions['master'];
  /** Where Postfix finds the Milter; the TCP port of Detach MTA unless given. */
  readonly milter?: string;
}

/** One Postfix, Detach MTA as its Milter, and a sink that takes what Postfix delivers. */
export async function startMilterChain(scenario: Scenario, options: MilterChainOptions = {}): Promise<MilterChain> {
  const azurite = await scenario.use(startAzurite());
  const sink = await scenario.use(startSink());
  const detach = await scenario.use(
    startDetach({
      nextHop: [],
      storage: azurite.connectionString,
      config: { inbound: { protocol: 'milter' }, ...options.detach },
    }),
  );
  const postfix = await scenario.use(
    startPostfix({
      dir: 'postfix-a/milter',
      settings: {
        smtpd_milters: options.milter ?? `inet:127.0.0.1:${detach.port}`,
        virtual_transport: `smtp:[127.0.0.1]:${sink.port}`,
        ...options.postfix,
      },
      ...(options.files ? { files: options.files } : {}),
      ...(options.master ? { master: options.master } : {}),
    }),
  );
  return { azurite, sink, detach, postfix };
}
