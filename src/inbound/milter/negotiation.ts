import { MilterError } from './milter-error.ts';
import { ACTION, OLDEST_VERSION, PROTOCOL_VERSION, STEP } from './protocol.ts';

/** All that is ever asked for: recipients, sender and quarantine stay as they are. */
const ACTIONS = ACTION.addHeaders | ACTION.changeBody | ACTION.changeHeaders;

/**
 * Only the end of a message is answered, so that the server writes a whole message without waiting, and the commands
 * that say nothing about a message are not sent.
 */
const STEPS = Object.values(STEP).reduce((all, step) => all | step, 0);

export interface Negotiated {
  readonly version: number;
  readonly actions: number;
  readonly steps: number;
}

/** @throws MilterError when the server is too old or forbids what is needed */
export function negotiate(offered: Negotiated): Negotiated {
  if (offered.version < OLDEST_VERSION) throw new MilterError(`protocol version ${offered.version} is too old`);
  if ((offered.actions & ACTIONS) !== ACTIONS)
    throw new MilterError('the server does not let a filter change header and body');
  return {
    version: Math.min(offered.version, PROTOCOL_VERSION),
    actions: ACTIONS,
    // Of these a server may offer fewer; what it does not know is answered.
    steps: offered.steps & STEPS,
  };
}

/** The step that spares a command its answer. */
export const silentStep = {
  connect: STEP.noReplyToConnect,
  helo: STEP.noReplyToHelo,
  mail: STEP.noReplyToMail,
  rcpt: STEP.noReplyToRcpt,
  header: STEP.noReplyToHeader,
  endOfHeader: STEP.noReplyToEndOfHeader,
  body: STEP.noReplyToBody,
  data: 0,
  unknown: 0,
} as const;
