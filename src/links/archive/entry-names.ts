import { numberedName, safeFileName } from '../../message/file-name.ts';

interface Named {
  readonly name: string;
  readonly type: string;
}

/** Names of entries: safe on every file system, and different also where upper and lower case are the same. */
export function entryNames(files: readonly Named[]): string[] {
  const names = files.map(({ name, type }) => safeFileName({ disposition: name }, type).name);
  const taken = new Set<string>();
  const counts = new Map<string, number>();
  return names.map((name) => {
    const key = keyOf(name);
    for (let number = counts.get(key) ?? 1; ; number++) {
      const candidate = number === 1 ? name : numberedName(name, number);
      if (taken.has(keyOf(candidate))) continue;
      taken.add(keyOf(candidate));
      counts.set(key, number + 1);
      return candidate;
    }
  });
}

/** The two forms of a small sigma, and `ß` and `SS`, have one capital: Windows and macOS take them for the same. */
const keyOf = (name: string): string => name.toLowerCase().toUpperCase().normalize('NFC');
