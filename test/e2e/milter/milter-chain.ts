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
  const { milter = detach.port, postfix: settings, files, master } = options;
  const postfix = await scenario.use(
    startMilterPostfix({
      milter,
      sink,
      ...(settings && { settings }),
      ...(files && { files }),
      ...(master && { master }),
    }),
  );
  return { azurite, sink, detach, postfix };
}

export interface MilterPostfixOptions extends Pick<PostfixOptions, 'settings' | 'files' | 'master'> {
  /** A port on 127.0.0.1, or an address as in `smtpd_milters`. */
  readonly milter: number | string;
  readonly sink: Sink;
}

/** A Postfix that shows its mail to a Milter, and delivers it to a sink. */
export const startMilterPostfix = ({
  milter,
  sink,
  settings,
  ...options
}: MilterPostfixOptions): Promise<PostfixInstance> =>
  startPostfix({
    dir: 'postfix-a/milter',
    settings: {
      smtpd_milters: typeof milter === 'number' ? `inet:127.0.0.1:${milter}` : milter,
      virtual_transport: `smtp:[127.0.0.1]:${sink.port}`,
      ...settings,
    },
    ...options,
  });
