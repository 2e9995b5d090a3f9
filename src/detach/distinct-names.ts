import { numberedName } from '../message/file-name.ts';

interface Named {
  readonly name: string;
  readonly isNamed: boolean;
}

/** Parts of the same kind to which the sender gave no name are numbered, in the order of the message: `image-2.jpg`. */
export function distinctNames<T extends Named>(parts: readonly T[]): T[] {
  const taken = new Set(parts.filter(({ isNamed }) => isNamed).map(({ name }) => name.toLowerCase()));
  const counts = new Map<string, number>();
  return parts.map((part) => {
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
