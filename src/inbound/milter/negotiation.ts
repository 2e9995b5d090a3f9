import { MilterError } from './milter-error.ts';
import { actionBit, oldestVersion, protocolVersion, stepBit } from './protocol.ts';

/** All that is ever asked for: recipients, sender and quarantine stay as they are. */
const neededActions = actionBit.addHeaders | actionBit.changeBody | actionBit.changeHeaders;

/**
 * Only the end of a message is answered, so that the server writes a whole message without waiting, and the commands
 * that say nothing about a message are not sent.
 */
const allSteps = Object.values(stepBit).reduce((all, step) => all | step, 0);

export interface Negotiated {
  readonly version: number;
  readonly actions: number;
  readonly steps: number;
}

/** @throws MilterError when the server is too old or forbids what is needed */
export function negotiate(offered: Negotiated): Negotiated {
  if (offered.version < oldestVersion) throw new MilterError(`protocol version ${offered.version} is too old`);
  if ((offered.actions & neededActions) !== neededActions)
    throw new MilterError('the server does not let a filter change header and body');
  return {
    version: Math.min(offered.version, protocolVersion),
    actions: neededActions,
    // Of these a server may offer fewer; what it does not know is answered.
    steps: offered.steps & allSteps,
  };
}

/** The step that spares a command its answer. */
export const silentStep = {
  connect: stepBit.noReplyToConnect,
  helo: stepBit.noReplyToHelo,
  mail: stepBit.noReplyToMail,
  rcpt: stepBit.noReplyToRcpt,
  header: stepBit.noReplyToHeader,
  endOfHeader: stepBit.noReplyToEndOfHeader,
  body: stepBit.noReplyToBody,
  data: 0,
  unknown: 0,
} as const;
