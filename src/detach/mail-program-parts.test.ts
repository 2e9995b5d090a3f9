/** Whole messages with a part that only the mail program can open, as programs, gateways and lists write them. */
import { after, suite } from 'node:test';
import { checkCases } from './testing/check-cases.ts';
import { encoded, forwarded, html, message, multipart, pdf, plain } from './testing/entities.ts';
import { Lab } from './testing/lab.ts';

const lab = new Lab({ rules: { minSize: 1000 } });
after(() => lab.close());

const text = plain('The report is attached.');
const octets = (name: string, bytes: Buffer, type = 'application/octet-stream'): string =>
  encoded(`Content-Type: ${type}; name="${name}"\r\nContent-Disposition: attachment; filename="${name}"`, bytes);
const some = Buffer.alloc(3000, 'some bytes');
const mixed = (...parts: readonly string[]): Buffer => message(multipart('mixed', 'a', text, ...parts));
const inForward = (original: Buffer): Buffer =>
  message(multipart('mixed', 'o', plain('See below.'), forwarded(original)));

suite('TNEF', () => {
  const tnef = Buffer.concat([Buffer.from('789f3e22', 'hex'), some]);
  const winmail = octets('winmail.dat', tnef, 'application/ms-tnef');
  const named = (fields: string): Buffer => mixed(encoded(fields, some));
  checkCases(lab, {
    'as Exchange sends it': [mixed(winmail)],
    'as the whole body': [message(winmail)],
    'beside another file': [mixed(winmail, pdf()), ['a.pdf']],
    forwarded: [inForward(mixed(winmail))],
    'forwarded twice': [message(multipart('mixed', 'p', text, forwarded(inForward(mixed(winmail)))))],
    'in a related part': [
      message(multipart('mixed', 'o', multipart('related', 'r', html('Hi'), octets('winmail.dat', tnef)))),
    ],
    'behind a list’s footer': [
      message(multipart('mixed', 'o', multipart('mixed', 'a', text, winmail), plain('the list'))),
    ],
    'inline, without a name': [named('Content-Type: application/ms-tnef\r\nContent-Disposition: inline')],
    'by the type of a gateway': [mixed(octets('x.bin', some, 'application/x-ms-tnef'))],
    'by a type with a comment': [named('Content-Type: application/ms-tnef (Outlook); name=x')],
    'by a type in capitals': [named('Content-Type: APPLICATION/MS-TNEF; NAME=X')],
    'by a name as RFC 2231 has it': [
      named(
        "Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename*=utf-8''winmail%2Edat",
      ),
    ],
    'by a name in an encoded word': [
      named('Content-Type: application/octet-stream; name="=?utf-8?B?d2lubWFpbC5kYXQ=?="'),
    ],
    'by a name with a blank behind it': [named('Content-Type: application/octet-stream; name="winmail.dat "')],
    'by a short name': [named('Content-Type: application/octet-stream; name=WIN.DAT')],
    'by a name with a number': [named('Content-Type: application/octet-stream; name=winmail1.dat')],
    'by a name with a number in brackets': [named('Content-Type: application/octet-stream; name="winmail[1].dat"')],
    'by a name that a gateway made longer': [named('Content-Type: application/octet-stream; name=winmail.dat.bin')],
    'by the name of its type alone': [
      named(
        'Content-Type: application/octet-stream; name="winmail.dat"\r\nContent-Disposition: attachment; filename="ATT00001.dat"',
      ),
    ],
    'by its description': [named('Content-Type: application/octet-stream\r\nContent-Description: winmail.dat')],
    'as a text': [mixed(octets('winmail.dat', some, 'text/plain'))],
    'by its bytes, under any name': [mixed(octets('ATT00001.bin', tnef, 'application/pdf'))],
    'by its bytes, in quoted-printable': [
      mixed(
        `Content-Type: application/octet-stream; name=a.dat\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nx=9F>"${'abc=00=01=\r\n'.repeat(400)}`,
      ),
    ],
    'and not a file that is called nearly so': [mixed(octets('windows.dat', some)), ['windows.dat']],
  });
});

suite('journal reports', () => {
  const original = message(multipart('mixed', 'i', text, pdf()));
  const report = (...fields: readonly string[]): Buffer =>
    message(multipart('mixed', 'j', plain('Sender: ann@a.example'), forwarded(original)), ...fields);
  const known = report('X-MS-Journal-Report:');
  checkCases(lab, {
    'of Exchange': [known],
    'with a value and blanks': [report('x-ms-journal-report: \t 1')],
    'of Exchange inside an organisation': [report('X-MS-Exchange-Organization-Journal-Report:')],
    'whose own field a gateway removed': [report('X-MS-Exchange-Generated-Message-Source: Journal Agent')],
    'that are the message alone': [message(forwarded(original), 'X-MS-Journal-Report:')],
    'with the message as TNEF': [
      message(multipart('mixed', 'j', text, octets('winmail.dat', some)), 'X-MS-Journal-Report:'),
    ],
    'with the message as a file': [
      message(multipart('mixed', 'j', text, octets('original.eml', some)), 'X-MS-Journal-Report:'),
    ],
    forwarded: [inForward(known)],
    'forwarded as message/global, beside a file': [
      message(multipart('mixed', 'o', text, forwarded(known, 'Content-Type: message/global'), pdf('b.pdf'))),
      ['b.pdf'],
    ],
    'in a digest': [message(multipart('digest', 'd', `\r\n${known.toString('latin1')}`))],
    'and not a message that only speaks of one': [
      message(multipart('mixed', 'j', plain('X-MS-Journal-Report:'), pdf()), 'Subject: X-MS-Journal-Report'),
      ['a.pdf'],
    ],
  });
});

suite('PGP', () => {
  const lines = Array.from({ length: 40 }, () => 'hQEMA'.repeat(12));
  const armoured = (end: string): string =>
    ['-----BEGIN PGP MESSAGE-----', 'Version: x', '', ...lines, '-----END PGP MESSAGE-----', ''].join(end);
  const armour = armoured('\r\n');
  const file = (bytes: string | Buffer, type = 'application/octet-stream', name = 'ATT00002'): Buffer =>
    mixed(octets(name, Buffer.from(bytes), type));
  const control = 'Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1';
  const data = `Content-Type: application/octet-stream; name=encrypted.bin\r\n\r\n${armour}`;
  checkCases(lab, {
    'as RFC 3156 has it': [message(multipart('encrypted; protocol="application/pgp-encrypted"', 'e', control, data))],
    'as a gateway changed it': [message(multipart('mixed', 'e', control, data, pdf()))],
    'with line feeds alone': [file(armoured('\n'))],
    'as a text file': [file(armour, 'text/plain', 'message.txt')],
    'as a picture': [file(armour, 'image/png', 'a.png')],
    'as a table': [file(armour, 'text/csv', 'a.csv')],
    'as HTML': [file(`<html><body><pre>${armour}</pre>`, 'text/html', 'a.htm')],
    'as UTF-16, little-endian': [file(Buffer.from(`\ufeff${armour}`, 'utf16le'))],
    'as UTF-16, big-endian': [file(Buffer.from(`\ufeff${armour}`, 'utf16le').swap16())],
    'behind the control part that was joined to it': [file(`Version: 1\n\n${armour}`)],
    forwarded: [inForward(file(armour))],
    'in the text, beside a file': [message(multipart('mixed', 'a', plain(armour), pdf()))],
    'in an encoded text, beside a file': [
      message(multipart('mixed', 'a', encoded('Content-Type: text/plain', Buffer.from(armour)), pdf())),
    ],
    'and not where an answer quotes it': [
      message(multipart('mixed', 'a', plain('New.\r\n> -----BEGIN PGP MESSAGE-----\r\n> x'), pdf())),
      ['a.pdf'],
    ],
  });
});

suite('S/MIME', () => {
  const cms = (id: string): Buffer => Buffer.concat([Buffer.from(`3080${id}a080`, 'hex'), some]);
  const enveloped = cms('06092a864886f70d010703');
  const opaque = 'application/pkcs7-mime; smime-type=enveloped-data';
  const signature = octets('smime.p7s', some, 'application/pkcs7-signature');
  const signed = (inner: string): string =>
    multipart('signed; protocol="application/pkcs7-signature"; micalg=sha-256', 's', inner, signature);
  checkCases(lab, {
    'as the whole body': [message(octets('smime.p7m', enveloped, opaque))],
    'by name alone': [message(octets('SMIME.P7M', some))],
    'by the name of its type alone': [
      mixed(
        encoded(
          'Content-Type: application/octet-stream; name="smime.p7m"\r\nContent-Disposition: attachment; filename=a.bin',
          some,
        ),
      ),
    ],
    'behind a list’s footer': [
      message(multipart('mixed', 'o', octets('smime.p7m', enveloped, 'application/x-pkcs7-mime'), plain('the list'))),
    ],
    'by its bytes': [mixed(octets('ATT00001', enveloped))],
    'by its bytes, authenticated (RFC 5083)': [mixed(octets('ATT00001', cms('060b2a864886f70d0109100117')))],
    'by its bytes, compressed (RFC 3274)': [mixed(octets('ATT00001', cms('060b2a864886f70d0109100109')))],
    'in armour': [mixed(octets('a', Buffer.from(`-----BEGIN PKCS7-----\n${'MIIB'.repeat(900)}`)))],
    'compressed, by name': [mixed(octets('smime.p7z', some))],
    forwarded: [inForward(message(octets('smime.p7m', enveloped, opaque)))],
    'signed, with a file inside and one outside': [
      mixed(signed(multipart('mixed', 'i', text, pdf())), pdf('out.pdf')),
      ['out.pdf'],
    ],
    'signed and forwarded': [inForward(message(signed(multipart('mixed', 'i', text, pdf()))))],
    'of Microsoft’s rights management': [mixed(octets('message.rpmsg', some, 'application/x-microsoft-rpmsg-message'))],
  });
});
