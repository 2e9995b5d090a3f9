/** Invitations whose files a calendar program looks for in the message (RFC 5545 section 3.8.1.1, RFC 6047). */
import { after } from 'node:test';
import { checkCases, type Cases } from './testing/check-cases.ts';
import { encoded, forwarded, html, message, multipart, pdf, plain } from './testing/entities.ts';
import { Lab } from './testing/lab.ts';

const lab = new Lab({ rules: { minSize: 1000 } });
after(() => lab.close());

const text = plain('Agenda attached');
const agenda = pdf('agenda.pdf', 'Content-ID: <agenda-77@x>');
const event = (...lines: readonly string[]): string =>
  ['BEGIN:VCALENDAR', 'VERSION:2.0', 'BEGIN:VEVENT', ...lines, 'END:VEVENT', 'END:VCALENDAR'].join('\r\n');
const request = 'Content-Type: text/calendar; method=REQUEST; charset=utf-8';
const calendar = (line: string, fields = request): string => `${fields}\r\n\r\n${event(line)}`;
const invitation = (line: string, fields?: string): Buffer =>
  message(multipart('mixed', 'a', text, calendar(line, fields), agenda));
const attach = 'ATTACH:CID:agenda-77@x';

const cases: Cases = {
  'folded within the scheme': [invitation('ATTACH;FMTTYPE=application/pdf:C\r\n ID:agenda-77@x')],
  'folded within the id, by a tab': [invitation('ATTACH;FMTTYPE=application/pdf:CID:agenda\r\n\t-77@x')],
  'folded at each character': [invitation(`ATTACH:${'cid:agenda-77@x'.split('').join('\r\n ')}`)],
  'with parameters in quotes': [invitation('ATTACH;FILENAME="a:b;c.pdf";SIZE=3000:Cid:agenda-77@x')],
  'with brackets': [invitation('ATTACH:CID:<agenda-77@x>')],
  'with brackets as percent signs': [invitation('ATTACH:cid:%3Cagenda-77%40x%3E')],
  'as vCalendar 1.0 has it': [invitation('ATTACH;VALUE=CONTENT-ID:<agenda-77@x>', 'Content-Type: text/x-vcalendar')],
  'as vCalendar 1.0 has it, with parameters': [
    invitation('ATTACH;VALUE=CONTENT-ID;TYPE=application/pdf: <agenda-77@x>', 'Content-Type: text/x-vcalendar'),
  ],
  'as vCalendar 1.0 encodes it': [
    invitation('ATTACH;ENCODING=QUOTED-PRINTABLE:cid:agenda=2D77=40x', 'Content-Type: text/x-vcalendar'),
  ],
  'several, one after the other': [
    message(
      multipart(
        'mixed',
        'a',
        text,
        calendar(`ATTACH:cid:one@x\r\n${attach}`),
        agenda,
        pdf('b.pdf', 'Content-ID: <one@x>'),
        pdf('c.pdf'),
      ),
    ),
    ['c.pdf'],
  ],
  'in base64': [message(multipart('mixed', 'a', text, encoded(request, Buffer.from(event(attach))), agenda))],
  'in base64, folded, with line feeds alone': [
    message(multipart('mixed', 'a', text, encoded(request, Buffer.from('ATTACH:CID:agen\n da-77@x\n')), agenda)),
  ],
  'in quoted-printable': [
    invitation(
      'ATTACH;FMTTYPE=3Dapplication/pdf:CID:age=\r\nnda=2D77=40x',
      `${request}\r\nContent-Transfer-Encoding: quoted-printable`,
    ),
  ],
  'in UTF-16': [
    message(
      multipart(
        'mixed',
        'a',
        text,
        encoded(
          'Content-Type: text/calendar; charset=utf-16',
          Buffer.from(`\ufeff${event('ATTACH:CID:agen\r\n da-77@x')}`, 'utf16le'),
        ),
        agenda,
      ),
    ),
  ],
  'in one form of the letter': [
    message(multipart('related', 'r', multipart('alternative', 'b', text, html('Agenda'), calendar(attach)), agenda)),
  ],
  'in a file for no known program': [
    invitation(attach, 'Content-Type: application/octet-stream; name=invite.ics\r\nContent-Disposition: attachment'),
  ],
  'in a plain text with the name of one': [invitation(attach, 'Content-Type: text/plain; name=invite.ics')],
  'in JSON': [invitation('["attach",{},"uri","cid:agenda-77@x"]', 'Content-Type: application/calendar+json')],
  'in XML': [invitation('<attach><uri>cid:agenda-77@x</uri></attach>', 'Content-Type: application/calendar+xml')],
  'in a forwarded invitation': [message(multipart('mixed', 'o', text, forwarded(invitation(attach))))],
  'by the name of the file': [invitation('ATTACH;FMTTYPE=application/pdf:agenda.pdf')],
  'by the place of the file': [
    message(
      multipart(
        'mixed',
        'a',
        text,
        calendar('ATTACH;FILENAME="a:b":http://a.example/agenda.pdf'),
        pdf('agenda.pdf', 'Content-Location: http://a.example/agenda.pdf'),
      ),
    ),
  ],
  'the picture in a card': [
    invitation(
      'PHOTO;VALUE=uri:CID:agenda-77@x',
      'Content-Type: text/vcard; name=ann.vcf\r\nContent-Disposition: attachment',
    ),
  ],
  'the picture in HTML, by message and part': [
    message(multipart('related', 'r', html('<img src="mid:m1@x/agenda-77@x">'), agenda)),
  ],
  'and not what lies elsewhere': [invitation('ATTACH:https://a.example/agenda.pdf'), ['agenda.pdf']],
  'and not by a longer id': [invitation('ATTACH:CID:agenda-77@xy'), ['agenda.pdf']],
};

checkCases(lab, cases);
