import { fail, type Found, ok, warn } from '../finding.ts';
import type { Check } from '../interface.ts';

/** Names that must differ: Postfix takes a peer with its own name for itself. */
export const names: Check = {
  name: 'postfix-names',
  run({ neighbours, config: { hostname } }) {
    const found: Found[] = neighbours.map(({ dir, get, toUs }) => {
      const theirs = get('myhostname');
      if (!same(theirs, hostname)) return ok(`${dir}: myhostname = ${theirs} differs from our hostname`);
      const fix = 'give hostname in our configuration a value of its own';
      return toUs.length > 0
        ? fail(
            `${dir}: myhostname = ${theirs} is our hostname: Postfix takes us for itself, and mail bounces ("loops back to myself")`,
            fix,
          )
        : warn(`${dir}: myhostname = ${theirs} is our hostname: its log and trace fields cannot tell us apart`, fix);
    });
    return [...found, ...twins(neighbours.map(({ dir, get }) => ({ dir, name: get('myhostname') })))];
  },
};

interface Named {
  readonly dir: string;
  readonly name: string;
}

function twins(named: readonly Named[]): readonly Found[] {
  return named.flatMap(({ dir, name }, i) => {
    const other = named.slice(0, i).find((each) => same(each.name, name));
    return other
      ? [
          warn(
            `${dir} and ${other.dir} have the same myhostname = ${name}: either takes mail of the other for its own, and logs cannot tell them apart`,
            'give each server a myhostname of its own',
          ),
        ]
      : [];
  });
}

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
