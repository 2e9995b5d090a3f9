import { randomUUID } from 'node:crypto';
import { buildMessage } from '../test/harness/build-message.ts';
import { people } from './people.ts';
import { samplePdf } from './sample-pdf.ts';
import { samplePhoto } from './sample-photo.ts';

export interface SampleFile {
  readonly name: string;
  readonly type: string;
  readonly content: Buffer;
}

export interface Sample {
  readonly from: string;
  readonly to: readonly string[];
  readonly messageId: string;
  readonly message: Buffer;
  readonly files: readonly SampleFile[];
}

/** A letter with a PDF and a photo, to three people. The files are always the same, the message is new each time. */
export function makeSample(): Sample {
  const [from, ...to] = people;
  const files = [
    {
      name: 'Quarterly report.pdf',
      type: 'application/pdf',
      content: samplePdf('Quarterly report', { width: 960, height: 640 }),
    },
    { name: 'Evening.png', type: 'image/png', content: samplePhoto({ width: 1000, height: 700 }) },
  ];
  return letter({ from, to, subject: 'Report and photo', files });
}

export function letter(parts: {
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly files: readonly SampleFile[];
}): Sample {
  const messageId = `<${randomUUID()}@lab.example.net>`;
  const names = parts.files.map(({ name }) => name).join(' and ');
  const message = buildMessage({
    ...parts,
    messageId,
    date: new Date().toUTCString().replace('GMT', '+0000'),
    text: `Hello,\n\nattached: ${names}.\n\n-- \nAlice\n`,
    html: `<html><body><p>Hello,</p><p>attached: ${names}.</p><p>-- <br>Alice</p></body></html>\n`,
    attachments: parts.files,
  });
  return { from: parts.from, to: parts.to, messageId, message, files: parts.files };
}
