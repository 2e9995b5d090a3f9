import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from '../../test/harness/property.ts';
import { numberedName, safeFileName, safeMediaType, type NameCandidates } from './file-name.ts';

const nameOf = (names: NameCandidates, type: string): string => safeFileName(names, type).name;

const cases: readonly (readonly [why: string, name: string, safe: string])[] = [
  ['a good name stays', 'Résumé 2026 (final).pdf', 'Résumé 2026 (final).pdf'],
  ['composed', 'Re\u0301sume\u0301.pdf', 'Résumé.pdf'],
  ['Unix path', '../../etc/passwd', 'passwd'],
  ['absolute path', '/etc/passwd', 'passwd'],
  ['Windows path', 'C:\\Users\\me\\a.pdf', 'a.pdf'],
  ['drive letter', 'C:a.pdf', 'a.pdf'],
  ['network share', '\\\\host\\share\\a.pdf', 'a.pdf'],
  ['a slash that is no path', '1/2 finished.pdf', '1_2 finished.pdf'],
  ['nothing but separators', '\\/\\', 'attachment.pdf'],
  ['stream of NTFS', 'report.pdf:evil.exe', 'report.pdf_evil.exe'],
  ['what Windows forbids', 'a<b>c"d|e?f*g.pdf', 'a_b_c_d_e_f_g.pdf'],
  ['NUL and controls', 'a\0b\x07c\x9fd.pdf', 'abcd.pdf'],
  ['line ends', 'a\r\nBcc: x\r\n.pdf', 'a Bcc_ x .pdf'],
  ['right-to-left override', 'invoice\u202efdp.exe', 'invoicefdp.exe'],
  ['isolates and marks', '\u2066a\u2069\u200f\u061c.pdf', 'a.pdf'],
  ['zero width and soft hyphen', 'pay\u200bpal\u00ad\ufeff.pdf', 'paypal.pdf'],
  ['tag characters', 'a\u{e0041}\u{e0042}.pdf', 'a.pdf'],
  ['fillers that look like blanks', 'a\u3164\u115f\u2800.pdf', 'a.pdf'],
  ['half a surrogate pair', 'a\ud800b.pdf', 'ab.pdf'],
  ['undecodable', 'a\ufffdb.pdf', 'a_b.pdf'],
  ['other characters that nothing draws', 'in\u{1d173}vo\ufe00i\ufe0fc\u{1bca0}e.pdf', 'invoice.pdf'],
  ['a selector of an emoji stays', '❤\ufe0f 1\ufe0f\u20e3.png', '❤\ufe0f 1\ufe0f\u20e3.png'],
  ['a joiner in Persian stays', 'می\u200cخواهم.pdf', 'می\u200cخواهم.pdf'],
  ['a joiner in emoji stays', '👩\u200d💻.png', '👩\u200d💻.png'],
  ['a joiner alone goes', 'a.\u200dpdf', 'a.pdf'],
  ['a joiner before what is replaced goes', 'a\u200d<b>.pdf', 'a_b_.pdf'],
  ['a joiner that kept an accent apart', 'e\u200d\u0301.pdf', 'é.pdf'],
  ['the extension pushed out of sight', `invoice.pdf${' '.repeat(100)}.exe`, 'invoice.pdf .exe'],
  ['leading dots', '...bashrc', 'bashrc'],
  ['trailing dots and blanks', 'a.exe. . .', 'a.exe'],
  ['nothing but dots', '...', 'attachment.pdf'],
  ['empty', '', 'attachment.pdf'],
  ['blank', ' \t\u00a0', 'attachment.pdf'],
  ['device', 'con', '_con'],
  ['device with extension', 'LPT1.txt', '_LPT1.txt'],
  ['device with blank', 'nul .txt', '_nul .txt'],
  ['device in superscript', 'COM².log', '_COM².log'],
  ['no device', 'console.log', 'console.log'],
  ['right-to-left letters', 'דוח.pdf', 'דוח.pdf'],
];

describe('safeFileName', () => {
  for (const [why, name, safe] of cases) {
    test(why, () => {
      assert.equal(nameOf({ disposition: name }, 'application/pdf'), safe);
      assert.equal(nameOf({ type: name }, 'application/pdf'), safe);
    });
  }

  test('the disposition wins, the type helps out, and then the media type', () => {
    assert.equal(nameOf({ disposition: 'a.pdf', type: 'b.pdf' }, 'application/pdf'), 'a.pdf');
    assert.equal(nameOf({ disposition: '..', type: 'b.pdf' }, 'application/pdf'), 'b.pdf');
    assert.equal(nameOf({}, 'Image/JPEG; name=x'), 'image.jpg');
    assert.equal(nameOf({ type: '..', description: 'b' }, 'application/pdf'), 'b.pdf');
    assert.equal(nameOf({}, 'x-odd/thing'), 'attachment.bin');
    assert.equal(nameOf({ disposition: '.pdf' }, 'application/octet-stream'), 'attachment.pdf');
    assert.equal(nameOf({ disposition: 'C:\\tmp\\.JPG', description: 'Kitchen' }, 'image/jpeg'), 'Kitchen.JPG');
    assert.equal(nameOf({ disposition: '.profile' }, 'text/plain'), 'profile');
    assert.equal(nameOf({}, ''), 'attachment.bin');
  });

  test('long names are cut between characters and keep their extension and what stands before it', () => {
    const cut = (name: string): string => nameOf({ disposition: name }, '');
    assert.match(cut(`${'x'.repeat(400)}.tar.gz`), /^x{90,}\.\.\.x{40,}\.tar\.gz$/);
    assert.equal(cut(`${'😀'.repeat(100)}.pdf`), `${'😀'.repeat(24)}...${'😀'.repeat(11)}.pdf`);
    assert.match(cut(`${'a'.repeat(150)}😀\u200d💻.pdf`), /^a+\.\.\.a+😀\u200d💻\.pdf$/);
    assert.match(cut(`${'😀\u200d💻'.repeat(40)}.pdf`), /^(?:😀\u200d💻|😀)+\.\.\.💻?(?:😀\u200d💻)+\.pdf$/u);
    assert.match(cut(`${'e\u0301'.repeat(100)}.pdf`), /^é+\.\.\.é+\.pdf$/);
    assert.equal(cut(`a.${'b'.repeat(400)}`).length, 150);
    assert.equal(cut(`${'con .'.repeat(200)}pdf`).endsWith('.pdf'), true);
    const minutes = (month: string): string => cut(`${'Minutes of the general meeting '.repeat(8)}${month} 2026.docx`);
    assert.notEqual(minutes('January'), minutes('February'));
  });

  test('a name without an extension that its kind has gets one, when it was a description', () => {
    const described = (description: string, type = 'application/pdf'): string => nameOf({ description }, type);
    assert.equal(described('Quarterly report'), 'Quarterly report.pdf');
    assert.equal(described('Quarterly report.pdf'), 'Quarterly report.pdf');
    assert.equal(described('Version 1.2'), 'Version 1.2.pdf');
    assert.equal(described('a/b: c'), 'a_b_ c.pdf');
    assert.equal(described('x', 'x-odd/thing'), 'x.bin');
  });

  test('a character that the sender cut in two is dropped', () => {
    assert.equal(nameOf({ disposition: 'Отчёт\ufffd' }, ''), 'Отчёт');
    assert.equal(nameOf({ disposition: 'Отчёт\ufffd.pdf' }, ''), 'Отчёт.pdf');
  });

  test('phones and scanners give no names, and types in many spellings', () => {
    const types: Record<string, string> = {
      'image/jpg': 'image.jpg',
      'image/pjpeg': 'image.jpg',
      'image/heif': 'image.heif',
      'image/x-png': 'image.png',
      'video/3gpp': 'video.3gp',
      'video/quicktime': 'video.mov',
      'audio/amr': 'audio.amr',
      'audio/x-wav': 'audio.wav',
      'audio/x-m4a': 'audio.m4a',
      'audio/mp3': 'audio.mp3',
      'audio/mpeg': 'audio.mp3',
      'application/x-pdf': 'attachment.pdf',
      'application/x-zip-compressed': 'attachment.zip',
      'application/vnd.ms-excel.sheet.macroenabled.12': 'attachment.xlsm',
      'text/csv': 'attachment.csv',
    };
    for (const [type, name] of Object.entries(types)) assert.equal(nameOf({}, type), name);
    assert.equal(numberedName('image.jpg', 2), 'image-2.jpg');
  });

  test('anything becomes a name that is safe, and a safe name stays as it is', () => {
    const nasty = fc.constantFrom(
      '.',
      '/',
      '\\',
      ':',
      ' ',
      '\0',
      '\u202e',
      '\u200d',
      'con',
      'é',
      '😀',
      '\ud800',
      '"',
      'a',
      '.pdf',
      '\u0301',
    );
    const name = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 400 }),
      fc.array(nasty, { maxLength: 300 }).map((a) => a.join('')),
    );
    fc.assert(
      fc.property(name, (disposition) => {
        const safe = nameOf({ disposition }, 'application/pdf');
        assert.equal(Buffer.byteLength(safe) <= 150 && safe.length > 0, true);
        assert.doesNotMatch(safe, /\p{Cs}/u);
        assert.doesNotMatch(safe, /[\p{Cc}\p{Bidi_Control}"*/:<>?\\|]|^[. ]|[. ]$|\s\s/u);
        assert.doesNotMatch(safe, /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i);
        assert.equal(nameOf({ disposition: safe }, ''), safe);
      }),
      { numRuns: 2000 },
    );
  });

  test('hostile lengths end', () => {
    for (const piece of ['.', ' ', '. ', 'a/', '\\', '\u202e', '\u0301', 'é.']) {
      assert.equal(Buffer.byteLength(nameOf({ disposition: piece.repeat(1_000_000) }, '')) <= 150, true);
    }
  });
});

test('safeMediaType', () => {
  const types: readonly (readonly [type: string, name: string, safe: string])[] = [
    ['Application/PDF; name=x', 'x.exe', 'application/pdf'],
    [' image/svg+xml ', '', 'image/svg+xml'],
    ['application/octet-stream', 'Report.PDF', 'application/pdf'],
    ['application/octet-stream', 'report', 'application/octet-stream'],
    ['', 'a.docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
    ['pdf', '', 'application/octet-stream'],
    ['text/html\r\nX: y', '', 'application/octet-stream'],
    ['text/<b>', '', 'application/octet-stream'],
    ['a/b/c', '', 'application/octet-stream'],
    [`a/${'b'.repeat(200)}`, '', 'application/octet-stream'],
  ];
  for (const [type, name, safe] of types) assert.equal(safeMediaType(type, name), safe);
});
