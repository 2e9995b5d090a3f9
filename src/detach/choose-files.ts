import { distinctNames } from './distinct-names.ts';
import { judge, type Reason, type Rules } from './policy.ts';
import type { FilePart, ReadMessage } from './read-message.ts';

export interface Choice {
  /** The files to detach. Those to which the sender gave no name have distinct names. */
  readonly chosen: readonly FilePart[];
  /** How many other parts stay, and why. */
  readonly left: ReadonlyMap<Reason, number>;
}

export function chooseFiles(message: ReadMessage, rules: Rules): Choice {
  const candidates = message.files.map(({ candidate }) => candidate);
  const reasons = judge(candidates, rules);
  const left = new Map(message.left);
  for (const reason of reasons) if (reason !== undefined) left.set(reason, (left.get(reason) ?? 0) + 1);
  const parts = message.files.filter((_, i) => reasons[i] === undefined);
  const named = distinctNames(parts.map(({ candidate }) => candidate));
  return { chosen: parts.map((part, i) => ({ ...part, candidate: named[i]! })), left };
}
