import { randomUUID } from 'node:crypto';
import { buildMessage } from '../test/harness/build-message.ts';
import { fullNames, people } from './people.ts';
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

/** A PDF and a photo, always the same. */
const usualFiles = (): SampleFile[] => [
  {
    name: 'Quarterly report.pdf',
    type: 'application/pdf',
    content: samplePdf('Quarterly report', { width: 960, height: 640 }),
  },
  { name: 'Evening.png', type: 'image/png', content: samplePhoto({ width: 1000, height: 700 }) },
];

/** A letter to three people. The message is new each time. */
export function makeSample(files: readonly SampleFile[] = usualFiles()): Sample {
  const [from, ...to] = people;
  const messageId = `<${randomUUID()}@lab.example.net>`;
  const message = buildMessage({
    from: withName(from),
    to: to.map(withName),
    subject: 'Report and photo',
    messageId,
    date: new Date().toUTCString().replace('GMT', '+0000'),
    text: 'Hello,\n\nhere are the report and a photo.\n\n-- \nAlice\n',
    html: '<html><body><p>Hello,</p><p>here are the report and a photo.</p><p>-- <br>Alice</p></body></html>\n',
    attachments: files,
  });
  return { from, to, messageId, message, files };
}

const withName = (address: string): string => `${fullNames[address] ?? ''} <${address}>`;
