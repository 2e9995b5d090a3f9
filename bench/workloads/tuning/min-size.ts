import type { Bench } from '../workload.ts';
import { compare, type Measured } from './variants.ts';

/**
 * A mix of mail that is made up, and stated so that anybody can put their own in its place: for each 1,000 messages that
 * reach mailboxes in a house of 1,000, on working days. Sizes are of the decoded file.
 */
interface Kind {
  readonly what: string;
  /** Of 1,000 messages. */
  readonly messages: number;
  readonly kilobytes: number;
  /** Mailboxes of this house that each of them reaches. */
  readonly recipients: number;
  /** How often the same bytes are sent again by somebody: a template, a price list, an answer with the file. */
  readonly repeated: number;
}

const mix: readonly Kind[] = [
  { what: 'text only', messages: 700, kilobytes: 0, recipients: 1.5, repeated: 1 },
  { what: 'signature picture or icon as a file', messages: 90, kilobytes: 30, recipients: 1.5, repeated: 10 },
  { what: 'short document', messages: 90, kilobytes: 200, recipients: 1.5, repeated: 1.2 },
  { what: 'document with pictures', messages: 60, kilobytes: 800, recipients: 1.8, repeated: 1.3 },
  { what: 'scan or photo', messages: 38, kilobytes: 2500, recipients: 1.8, repeated: 1.2 },
  { what: 'slides', messages: 15, kilobytes: 8000, recipients: 3, repeated: 1.5 },
  { what: 'large file', messages: 6, kilobytes: 20_000, recipients: 2, repeated: 1.1 },
  { what: 'circular with a file', messages: 0.1, kilobytes: 5000, recipients: 300, repeated: 1 },
];

const messagesADay = 20_000;
const workingDays = 220;
/** Base64 in lines of 76 characters. */
const encoded = (4 / 3) * (78 / 76);
/** What the notice, its link and the fields take in a message, with HTML beside the text. */
const notice = 1000;
/** Records of a link and its indexes. */
const records = 2500;

/** GB a year of all files that mailboxes and storage hold. */
function calculate(minSize: number): Measured {
  const total = { mailboxes: 0, stored: 0, whole: 0, linked: 0, copies: 0 };
  for (const { messages, kilobytes, recipients, repeated } of mix) {
    const size = kilobytes * 1000;
    const copies = messages * recipients;
    const moved = size >= minSize && size > 0;
    total.whole += copies * size * encoded;
    total.mailboxes += moved ? copies * notice : copies * size * encoded;
    total.stored += moved ? messages * (size / repeated + records) : 0;
    total.linked += moved ? copies : 0;
    total.copies += copies;
  }
  const yearly = (bytes: number): number => (bytes * messagesADay * workingDays) / 1000 / 1e9;
  return {
    'mailboxes: GB a year': yearly(total.mailboxes),
    'stored: GB a year': yearly(total.stored),
    'saved %': (1 - (total.mailboxes + total.stored) / total.whole) * 100,
    'recipients with a link %': (total.linked / total.copies) * 100,
  };
}

/** `detach.minSize`. Nothing is measured here: it is a calculation, the same in every round. */
export const minSize = (bench: Bench): Promise<void> =>
  compare(
    bench,
    {
      situation: 'Detach MTA: detach.minSize, made-up mix (bench/workloads/tuning/min-size.ts)',
      values: {
        'nothing is detached': Infinity,
        '100 kB': 1e5,
        '500 kB': 5e5,
        '1 MiB, the default': 2 ** 20,
        '5 MiB': 5 * 2 ** 20,
        '10 MiB': 10 * 2 ** 20,
      },
      measure: (bytes) => Promise.resolve(calculate(bytes)),
    },
    { rounds: 1 },
  );
