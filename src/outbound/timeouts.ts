const seconds = 1000;
const minutes = 60 * seconds;

/** How long we wait for a next hop, in ms. One table, so that an operator's question has one place to look. */
export const defaultTimeouts = {
  /** Reaching any next hop: connect, greeting, EHLO, STARTTLS and AUTH, over the whole list. */
  reach: 30 * seconds,
  /** Waiting for a session when all are in use. */
  busy: 30 * seconds,
  // RFC 5321 section 4.5.3.2
  mail: 5 * minutes,
  /** MAIL on a session that lay in the pool: its cable may have been pulled meanwhile, which no socket notices. */
  reusedMail: 30 * seconds,
  rcpt: 5 * minutes,
  data: 2 * minutes,
  /** One block of the message: the next hop takes nothing more off the wire. */
  block: 3 * minutes,
  finalDot: 10 * minutes,
  // As in Postfix: smtp_xforward_timeout, smtp_rset_timeout.
  xforward: 5 * minutes,
  rset: 20 * seconds,
  noop: 10 * seconds,
  /** Nothing depends on the reply to QUIT. */
  quit: 2 * seconds,
  /** Sessions in use when the service goes down. */
  close: 30 * seconds,
} as const;

export type Timeouts = { readonly [K in keyof typeof defaultTimeouts]: number };
