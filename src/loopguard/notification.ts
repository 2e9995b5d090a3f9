import { createHash } from 'node:crypto';
import type { HeaderBlock } from '../message/header-block.ts';
import { encodeQuotedPrintable } from '../message/quoted-printable.ts';
import { mailboxOf, paramValue, type PathCommand } from '../smtp/command.ts';
import { wireToText, type Reply } from '../smtp/reply.ts';
import { dateTime } from './date-time.ts';
import type { NotificationRequest, NotificationWriter } from './interface.ts';
import { originalRecipient, printableXtext } from './original-recipient.ts';

/** More of a header than this helps nobody to recognise a message. */
const maxReturnedHeaderBytes = 65_536;

/**
 * Writes the report (RFC 3464) for recipients of a message that loop while others of it are delivered.
 *
 * Nobody is told about null-sender mail (RFC 5321 section 6.1), nor of recipients whose NOTIFY leaves out FAILURE (RFC
 * 3461 section 4.1). The header is returned whether RET asks for HDRS or FULL: the message streams through, and its
 * body is on its way to those who do get it. The report carries no stamp and no trace field of ours: it has not passed
 * us yet, and may have to.
 *
 * All of it is ASCII but for the To field of an internationalised reverse-path: the parts with UTF-8 are encoded, so a
 * next hop without 8BITMIME takes it. Message-ID and boundary are the same when the message is tried again.
 */
export function notificationWriter({ hostname }: { readonly hostname: string }): NotificationWriter {
  return ({ mail, header, recipients, now }) => {
    const sender = mailboxOf(mail.path);
    const told = recipients.filter(({ command }) => wantsFailure(command));
    if (sender === '' || told.length === 0) return undefined;
    const paths = told.map(({ command }) => command.path);
    const id = reportId([
      hostname,
      mail.path,
      ...mail.params,
      header.first('message-id') ?? header.raw.toString('latin1'),
      ...paths,
    ]);
    const message = [
      ...head({ hostname, sender, id, header, now }),
      ...part(`=_text_${id}`, { type: 'text/plain; charset=utf-8', content: humanText(hostname, told) }),
      ...part(`=_text_${id}`, statusPart(hostname, { mail, recipients: told })),
      ...part(`=_text_${id}`, headerPart(header)),
      `--=_text_${id}--`,
      '',
    ].join('\r\n');
    const ascii = isAscii(sender);
    return {
      mail: { path: '<>', params: ascii ? [] : ['SMTPUTF8'] },
      // The null reverse-path already says that nobody wants a report on this report. NOTIFY=NEVER would add nothing,
      // and the report would have to wait for a next hop that offers DSN.
      rcpt: { path: `<${sender}>`, params: [] },
      message: Buffer.from(message, 'latin1'),
    };
  };
}

function wantsFailure(command: PathCommand): boolean {
  const notify = paramValue(command, 'NOTIFY');
  return notify === undefined || notify.toUpperCase().split(',').includes('FAILURE');
}

function head(of: {
  hostname: string;
  sender: string;
  id: string;
  header: HeaderBlock;
  now: number;
}): readonly string[] {
  const messageId = /^<[!-;=?-~]{1,500}>$/.exec(of.header.first('message-id') ?? '')?.[0];
  return [
    `From: Mail Delivery System <MAILER-DAEMON@${of.hostname}>`,
    `To: <${of.sender.replace(/[\u0000-\u001f\u007f]/g, '?')}>`,
    'Subject: Undelivered Mail Returned to Sender',
    `Date: ${dateTime(of.now)}`,
    `Message-ID: <loop.${of.id}@${of.hostname}>`,
    ...(messageId === undefined ? [] : [`In-Reply-To: ${messageId}`, `References: ${messageId}`]),
    // RFC 3834 section 5: nobody answers this automatically.
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status;',
    `\tboundary="=_text_${of.id}"`,
    '',
    'This is a report in MIME format (RFC 3464).',
    '',
  ];
}

interface Part {
  readonly type: string;
  readonly content: string;
}

function part(boundary: string, { type, content }: Part): readonly string[] {
  const plain = /^(?:[\t\x20-\x7e]|\r\n)*$/.test(content) && !/[^\r\n]{999}/.test(content);
  return [
    `--${boundary}`,
    `Content-Type: ${type}`,
    ...(plain ? [] : ['Content-Transfer-Encoding: quoted-printable']),
    '',
    plain ? content : encodeQuotedPrintable(Buffer.from(content, 'latin1')),
  ];
}

function humanText(hostname: string, recipients: NotificationRequest['recipients']): string {
  return [
    `This is the mail system at ${hostname}.`,
    '',
    'Your message could not be delivered to the recipients below, because it',
    'came back here after it had been passed on for them: somewhere on its way',
    'a forwarding or a route leads in a circle. Sending it again will not help',
    'before the postmaster of their domain has corrected that.',
    '',
    'The other recipients of the message are not affected.',
    '',
    ...recipients.flatMap(({ command, reply }) => [`${printable(command.path)}: ${oneLine(reply)}`, '']),
  ].join('\r\n');
}

/** RFC 3464 section 2.2 and 2.3; with an internationalised address in it, RFC 6533 section 4. */
function statusPart(hostname: string, { mail, recipients }: Pick<NotificationRequest, 'mail' | 'recipients'>): Part {
  const envid = printableXtext(paramValue(mail, 'ENVID') ?? '');
  const groups = recipients.map(({ command, reply }) => {
    const mailbox = printable(mailboxOf(command.path));
    const original = originalRecipient(paramValue(command, 'ORCPT') ?? '');
    return [
      ...(original === undefined ? [] : [`Original-Recipient: ${original}`]),
      `Final-Recipient: ${isAscii(mailbox) ? 'rfc822' : 'utf-8'}; ${mailbox}`,
      'Action: failed',
      `Status: ${/^[245]\.\d{1,3}\.\d{1,3}(?= |$)/.exec(reply.lines[0] ?? '')?.[0] ?? '5.4.6'}`,
      `Diagnostic-Code: smtp; ${oneLine(reply)}`,
      '',
    ];
  });
  const content = [
    `Reporting-MTA: dns; ${hostname}`,
    ...(envid === undefined ? [] : [`Original-Envelope-Id: ${envid}`]),
    '',
    ...groups.flat(),
  ].join('\r\n');
  return { type: isAscii(content) ? 'message/delivery-status' : 'message/global-delivery-status', content };
}

/** Whole fields from the top, as received. */
function headerPart(header: HeaderBlock): Part {
  let content = '';
  for (const field of header) {
    if (content.length + field.raw.length > maxReturnedHeaderBytes) break;
    content += field.raw.toString('latin1');
  }
  return { type: isAscii(content) ? 'text/rfc822-headers' : 'message/global-headers', content };
}

const oneLine = (reply: Reply): string => printable(`${reply.code} ${reply.lines.join(' ')}`);

/** A byte string without control characters, in which invalid UTF-8 is replaced by U+FFFD. */
const printable = (wire: string): string =>
  isAscii(wire)
    ? wire.replace(/[\u0000-\u001f\u007f]/g, ' ')
    : Buffer.from(wireToText(wire), 'utf8').toString('latin1');

const isAscii = (text: string): boolean => !/[^\u0000-\u007f]/.test(text);

/** The same for every try of the same message, so that a report that arrives twice can be recognised as one. */
function reportId(parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const each of parts) hash.update(`${each.length}:${each}`, 'latin1');
  return hash.digest('hex').slice(0, 32);
}
