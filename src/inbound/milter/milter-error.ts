/** The peer broke the protocol: nothing more can be said on this connection. */
export class MilterError extends Error {
  override readonly name = 'MilterError';
}
