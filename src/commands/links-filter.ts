import { textToWire } from '../smtp/reply.ts';
import type { Filter, FoundState } from '../storage/admin/find.ts';
import type { OptionValues } from './command.ts';
import { parseDate, parseLastMoment } from './dates.ts';
import { CommandError, ExitStatus } from './exit-status.ts';

const byOrigin = {
  sender: { type: 'string', value: 'ADDRESS', help: 'reverse-path or From' },
  'message-id': { type: 'string', value: 'ID', help: 'with or without <>' },
  file: { type: 'string', value: 'NAME|SHA-256', help: 'name of the file, in any case, or the hash of its bytes' },
  recipient: { type: 'string', value: 'ADDRESS', help: 'somebody who got the message' },
} as const;

const byTime = {
  since: { type: 'string', value: 'DATE', help: 'created then or later' },
  until: { type: 'string', value: 'DATE', help: 'created then or earlier' },
} as const;

const byState = {
  state: { type: 'string', value: 'STATE,…', help: 'living, expired, revoked or missing' },
} as const;

/** The options by which `links` commands choose links. All that are given must hold. */
export const filterOptions = { ...byOrigin, ...byTime, ...byState } as const;

/** The same for `extend`, whose `--until` is the new end. */
export const filterOptionsWithoutUntil = { ...byOrigin, since: byTime.since, ...byState } as const;

const states = ['living', 'expired', 'revoked', 'missing'] as const satisfies readonly FoundState[];

/** @throws CommandError 64 for what is no date or no state, or is empty: a variable that a script has not set */
export function filterOf(options: Partial<OptionValues<typeof filterOptions>>): Filter {
  for (const name of ['sender', 'message-id', 'file', 'recipient'] as const) {
    if (options[name]?.trim() === '') throw new CommandError(ExitStatus.usage, `--${name} is empty`);
  }
  const { sender, file, recipient, since, until, state } = options;
  return {
    sender: wire(sender),
    file,
    recipient: wire(recipient),
    messageId: wire(options['message-id']),
    since: since === undefined ? undefined : parseDate('since', since),
    until: until === undefined ? undefined : parseLastMoment('until', until),
    states: state === undefined ? undefined : new Set(state.split(',').map(stateNamed)),
  };
}

export const isEmpty = (filter: Filter): boolean => Object.values(filter).every((value) => value === undefined);

/** The option's text in the form that messages have: a byte string. */
const wire = (text: string | undefined): string | undefined => (text === undefined ? undefined : textToWire(text));

function stateNamed(text: string): FoundState {
  const found = states.find((state) => state === text.trim());
  if (found) return found;
  throw new CommandError(
    ExitStatus.usage,
    `--state: unknown state ${JSON.stringify(text)}: one of ${states.join(', ')}`,
  );
}
