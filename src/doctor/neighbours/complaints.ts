import type { Check } from '../interface.ts';
import { warn } from '../finding.ts';

/** What Postfix itself says against the files. */
export const complaints: Check = {
  name: 'postfix-files',
  run: ({ neighbours }) =>
    neighbours.flatMap(({ dir, complaints }) => complaints.map((line) => warn(`${dir}: ${line}`, adviceOn(line)))),
};

const adviceOn = (complaint: string): string =>
  complaint.includes('overriding earlier entry')
    ? 'take one of the two out: the last one holds'
    : 'correct the name or the value: Postfix ignores a parameter it does not know';
