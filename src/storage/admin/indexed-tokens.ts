import { messageEntry } from '../index-names.ts';
import { type AdminContext, namesBelow } from './context.ts';

/** Tokens of the links that the index names under these prefixes. */
export async function* tokensBelow(context: AdminContext, prefixes: readonly string[]): AsyncGenerator<string> {
  for (const prefix of prefixes) {
    for await (const name of namesBelow(context, prefix)) {
      const { kind, token } = messageEntry(name);
      if (kind === 'link') yield token;
    }
  }
}
