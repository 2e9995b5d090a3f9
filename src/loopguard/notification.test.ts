import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { simpleParser, type ParsedMail } from 'mailparser';
import { HeaderBlock } from '../message/header-block.ts';
import type { PathCommand } from '../smtp/command.ts';
import { failureReply } from '../smtp/failures.ts';
import { textToWire } from '../smtp/reply.ts';
import type { Notification } from './interface.ts';
import { notificationWriter } from './notification.ts';

const sampleTime = Date.UTC(2026, 0, 15, 12);
const write = notificationWriter({ hostname: 'detach.example' });
const command = (path: string, ...params: string[]): PathCommand => ({
  path: textToWire(path),
  params: params.map(textToWire),
});
const loops = (path: string, ...params: string[]) => ({
  command: command(path, ...params),
  reply: failureReply('loop', ` for ${textToWire(path)}`),
});
const headerOf = (text: string): HeaderBlock => HeaderBlock.parse(Buffer.from(text.replace(/\n/g, '\r\n')));
const header = headerOf('Message-ID: <1@a.example>\nSubject: hello\n world\nFrom: alice@a.example\n');
const mail = command('<alice@a.example>', 'RET=FULL', 'ENVID=QQ+2B314159');
const u = loops('<u@b.example>', 'ORCPT=rfc822;u+2Borig@b.example');

interface Part {
  readonly type: string;
  readonly content: string;
}

/** As a mail program reads it, and the parts behind the text taken apart by hand (mailparser hides the status). */
async function partsOf(
  notification: Notification | undefined,
): Promise<{ parsed: ParsedMail; status: Part; returned: Part }> {
  assert.ok(notification);
  const raw = notification.message.toString('latin1');
  const boundary = /boundary="(.*)"/.exec(raw)?.[1] ?? '';
  const parts = raw.split(`\r\n--${boundary}`).slice(1);
  assert.equal(parts.at(-1), '--\r\n');
  const [, status, returned] = parts.slice(0, -1).map((part): Part => {
    const [head = '', ...rest] = part.split('\r\n\r\n');
    const body = rest.join('\r\n\r\n');
    const bytes = head.includes('quoted-printable')
      ? body
          .replaceAll('=\r\n', '')
          .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
      : body;
    return { type: /Content-Type: (\S+)/.exec(head)?.[1] ?? '', content: Buffer.from(bytes, 'latin1').toString() };
  });
  return { parsed: await simpleParser(notification.message), status: status!, returned: returned! };
}

describe('a report', () => {
  const notification = write({ mail, header, recipients: [u, loops('<v@b.example>')], now: sampleTime });

  test('goes from nobody to the reverse-path', () => {
    assert.deepEqual(notification?.mail, { path: '<>', params: [] });
    assert.deepEqual(notification.rcpt, { path: '<alice@a.example>', params: [] });
  });

  test('is one of RFC 3464', async () => {
    const { parsed, status, returned } = await partsOf(notification);
    assert.match(String(notification?.message), /^Content-Type: multipart\/report; report-type=delivery-status;\r\n/m);
    assert.equal(parsed.headers.get('auto-submitted'), 'auto-replied');
    assert.equal(parsed.inReplyTo, '<1@a.example>');
    assert.deepEqual([status.type, returned.type], ['message/delivery-status', 'text/rfc822-headers']);
    assert.match(parsed.text ?? '', /<u@b\.example>: 554 5\.4\.6 mail forwarding loop for <u@b\.example>/);
    assert.equal(
      status.content.trimEnd(),
      [
        'Reporting-MTA: dns; detach.example',
        'Original-Envelope-Id: QQ+314159',
        '',
        'Original-Recipient: rfc822;u+orig@b.example',
        'Final-Recipient: rfc822; u@b.example',
        'Action: failed',
        'Status: 5.4.6',
        'Diagnostic-Code: smtp; 554 5.4.6 mail forwarding loop for <u@b.example>',
        '',
        'Final-Recipient: rfc822; v@b.example',
        'Action: failed',
        'Status: 5.4.6',
        'Diagnostic-Code: smtp; 554 5.4.6 mail forwarding loop for <v@b.example>',
      ].join('\r\n'),
    );
    assert.equal(returned.content.trimEnd(), String(header.raw).trimEnd());
  });

  test('has the same Message-ID when tried again, and another one for another message', () => {
    const idOf = (one: Notification | undefined): string | undefined =>
      /^Message-ID: (.*)\r$/m.exec(String(one?.message))?.[1];
    const again = write({ mail, header, recipients: [u, loops('<v@b.example>')], now: sampleTime + 300_000 });
    assert.equal(idOf(again), idOf(notification));
    assert.notEqual(idOf(write({ mail, header, recipients: [u], now: sampleTime })), idOf(notification));
    const other = headerOf('Subject: no id\n');
    assert.notEqual(
      idOf(write({ mail, header: other, recipients: [u, loops('<v@b.example>')], now: sampleTime })),
      idOf(notification),
    );
  });
});

describe('who is told', () => {
  test('nobody about null-sender mail', () => {
    assert.equal(write({ mail: command('<>'), header, recipients: [u], now: sampleTime }), undefined);
  });

  test('nobody who asked for silence', async () => {
    const silent = [loops('<n@b.example>', 'NOTIFY=NEVER'), loops('<s@b.example>', 'notify=success,delay')];
    assert.equal(write({ mail, header, recipients: silent, now: sampleTime }), undefined);
    const { status } = await partsOf(
      write({
        mail,
        header,
        recipients: [...silent, loops('<f@b.example>', 'NOTIFY=SUCCESS,FAILURE')],
        now: sampleTime,
      }),
    );
    assert.deepEqual(status.content.match(/Final-Recipient: .*/g), ['Final-Recipient: rfc822; f@b.example']);
  });
});

describe('internationalised addresses (RFC 6533)', () => {
  test('of a recipient: encoded, so that any next hop takes it', async () => {
    const notification = write({
      mail,
      header: headerOf('Message-ID: <1@a.example>\nSubject: grüße\n'),
      recipients: [loops('<jürgen@bücher.example>', 'ORCPT=utf-8;j\\x{FC}rgen@x.example')],
      now: sampleTime,
    });
    const { parsed, status, returned } = await partsOf(notification);
    assert.deepEqual(notification?.mail.params, []);
    assert.doesNotMatch(String(notification.message), /[^\r\n\t -~]/);
    assert.deepEqual([status.type, returned.type], ['message/global-delivery-status', 'message/global-headers']);
    assert.match(status.content, /^Original-Recipient: utf-8;jürgen@x\.example\r$/m);
    assert.match(status.content, /^Final-Recipient: utf-8; jürgen@bücher\.example\r$/m);
    assert.match(returned.content, /Subject: grüße/);
    assert.match(parsed.text ?? '', /<jürgen@bücher\.example>: 554 5\.4\.6/);
  });

  test('of the sender: needs SMTPUTF8', () => {
    const notification = write({ mail: command('<jürgen@a.example>'), header, recipients: [u], now: sampleTime });
    assert.deepEqual(notification?.mail.params, ['SMTPUTF8']);
    assert.match(notification.message.toString('utf8'), /^To: <jürgen@a\.example>\r$/m);
  });
});

describe('hostile input', () => {
  test('decoded parameters write no fields of their own', async () => {
    for (const [envid, orcpt] of [
      ['x+0D+0AEvil:+20y', 'rfc822;x+0D+0AEvil:+20y'],
      ['+zz', 'rfc822;+'],
      ['', 'utf-8;a\\x{A}b@c'],
      ['a b', ';x'],
      ['+00', 'utf-8;\\x{D800}@x'],
    ] as const) {
      const { status } = await partsOf(
        write({
          mail: command('<alice@a.example>', `ENVID=${envid}`),
          header,
          recipients: [loops('<u@b.example>', `ORCPT=${orcpt}`)],
          now: sampleTime,
        }),
      );
      assert.doesNotMatch(status.content, /Evil|Original/, envid);
    }
  });

  test('a header of any size and any bytes is returned safely', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
      .toString('latin1')
      .replace(/[\r\n]/g, '');
    const raw = Buffer.from(
      `X-Long: ${'x'.repeat(5000)}\r\nX-Bytes: ${bytes}\r\n${'X-More: y\r\n'.repeat(20_000)}`,
      'latin1',
    );
    const notification = write({ mail, header: HeaderBlock.parse(raw), recipients: [u], now: sampleTime });
    assert.ok(notification);
    assert.ok(notification.message.length < 300_000);
    assert.doesNotMatch(notification.message.toString('latin1'), /[^\r\n\t -~]|[^\r\n]{999}/);
    const { returned } = await partsOf(notification);
    const start = raw.subarray(0, 60_000).toString();
    assert.equal(returned.content.slice(0, start.length), start);
  });
});
