import type { Check } from '../interface.ts';
import { warn } from '../finding.ts';

/** What Postfix itself says against the files. */
export const complaints: Check = {
  name: 'postfix-files',
  run: ({ neighbours }) =>
    neighbours.flatMap(({ dir, complaints }) =>
      complaints.map((line) =>
        warn(`${dir}: ${line}`, 'correct the name or the value: Postfix ignores a parameter it does not know'),
      ),
    ),
};
