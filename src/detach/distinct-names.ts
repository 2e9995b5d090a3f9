import { numberedName, shorten } from '../message/file-name.ts';

interface Named {
  readonly name: string;
  readonly isNamed: boolean;
  readonly wholeName: string;
}

/**
 * Parts of the same kind to which the sender gave no name, or one too long to be read, are numbered, in the order of
 * the message: `image-2.jpg`.
 * Names that are equal only because they were shortened keep what is different in them.
 */
export function distinctNames<T extends Named>(parts: readonly T[]): T[] {
  const given = shortenedApart(parts);
  const taken = new Set(given.filter(({ isNamed }) => isNamed).map(({ name }) => name.toLowerCase()));
  const counts = new Map<string, number>();
  return given.map((part) => {
    if (part.isNamed) return part;
    const kind = part.name.split('.', 1)[0]!;
    for (;;) {
      const number = (counts.get(kind) ?? 0) + 1;
      counts.set(kind, number);
      const name = number === 1 ? part.name : numberedName(part.name, number);
      if (!taken.has(name.toLowerCase())) return { ...part, name };
    }
  });
}

function shortenedApart<T extends Named>(parts: readonly T[]): T[] {
  const wholes = new Map<string, Set<string>>();
  for (const { name, wholeName } of parts) wholes.set(name, (wholes.get(name) ?? new Set()).add(wholeName));
  if (wholes.size === parts.length) return [...parts];
  const names = new Map<string, string>();
  const taken = new Set(wholes.keys());
  for (const alike of wholes.values())
    if (alike.size > 1) {
      const from = commonStart([...alike]);
      for (const whole of alike) {
        const apart = shorten(whole, { from });
        let name = apart;
        for (let number = 2; taken.has(name); number++) name = numberedName(apart, number);
        taken.add(name);
        names.set(whole, name);
      }
    }
  return parts.map((part) => ({ ...part, name: names.get(part.wholeName) ?? part.name }));
}

/** Length of the prefix that all names share, in characters. */
function commonStart(names: readonly string[]): number {
  const [first = [], ...others] = names.map((name) => Array.from(name));
  const at = first.findIndex((character, i) => others.some((other) => other[i] !== character));
  return at < 0 ? first.length : at;
}
