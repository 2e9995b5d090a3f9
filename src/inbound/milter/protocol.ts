/**
 * The words of the Milter protocol, version 6, as Postfix speaks it (MILTER_README; Sendmail's libmilter/mfdef.h).
 *
 * A packet is a length of four bytes (big-endian, of what follows), one letter, and data. Strings end with NUL.
 */

/** What the mail server sends. */
export const commandByte = {
  negotiate: 'O',
  macros: 'D',
  connect: 'C',
  helo: 'H',
  mail: 'M',
  rcpt: 'R',
  data: 'T',
  unknown: 'U',
  header: 'L',
  endOfHeader: 'N',
  body: 'B',
  endOfMessage: 'E',
  abort: 'A',
  quit: 'Q',
  quitNewConnection: 'K',
} as const;

/** What a filter answers. */
export const replyByte = {
  negotiate: 'O',
  continue: 'c',
  progress: 'p',
  replyCode: 'y',
  insertHeader: 'i',
  changeHeader: 'm',
  replaceBody: 'b',
} as const;

/** What a filter may ask for at the end of a message (SMFIF_*). */
export const actionBit = {
  addHeaders: 0x01,
  changeBody: 0x02,
  changeHeaders: 0x10,
} as const;

/** What a filter does not want to be told, or does not answer (SMFIP_*). */
export const stepBit = {
  noUnknown: 0x100,
  noData: 0x200,
  noReplyToHeader: 0x80,
  noReplyToConnect: 0x1000,
  noReplyToHelo: 0x2000,
  noReplyToMail: 0x4000,
  noReplyToRcpt: 0x8000,
  noReplyToEndOfHeader: 0x40000,
  noReplyToBody: 0x80000,
  headerLeadingSpace: 0x100000,
} as const;

export const protocolVersion = 6;

/** Version 2 is Sendmail 8.12's: the first one that can insert a header field. */
export const oldestVersion = 2;

/** Data of one packet that replaces body: MILTER_CHUNK_SIZE. */
export const bodyChunkBytes = 65_535;

/**
 * Bytes of one packet that we take. Postfix sends body in 64 KiB, and a header field of at most `header_size_limit`
 * (100 KiB by default).
 */
export const maxPacketBytes = 2 * 1024 * 1024;

/** Up to here a packet takes no room: it holds more than those of Postfix and Sendmail as they are by default. */
export const largePacketBytes = 128 * 1024;
