/** The peer broke the protocol: nothing more can be said on this connection. */
export class MilterError extends Error {
  override readonly name = 'MilterError';
}

/** The server takes the message back, or is gone: nobody waits for a verdict. */
export class MessageAborted extends Error {
  override readonly name = 'MessageAborted';
}

/** The verdict was not there in time. */
export class MilterTimeout extends Error {
  override readonly name = 'MilterTimeout';
}

/** A message whose header is larger than a filter can take. */
export class MilterLimitError extends Error {
  override readonly name = 'MilterLimitError';
}
