import type { ConfigTree } from '../test/harness/detach-mta.ts';
import type { PostfixSettings } from '../test/harness/postfix-home.ts';

/** What is laid over the usual configuration of the chain. */
export interface LabSettings {
  readonly detach: ConfigTree;
  readonly a: PostfixSettings;
  readonly b: PostfixSettings;
}
