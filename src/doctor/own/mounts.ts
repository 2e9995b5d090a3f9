import { readFile } from 'node:fs/promises';

/** The mount point that fstab(5) has for a folder and that is not mounted; undefined when all is as it should be. */
export async function unmounted(folder: string, fstab: string): Promise<string | undefined> {
  const wanted = longestAbove(folder, pointsIn(fstab));
  if (wanted === undefined) return undefined;
  const mounted = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => pointOf(line));
  return mounted.includes(wanted) ? undefined : wanted;
}

function pointsIn(fstab: string): readonly string[] {
  return fstab.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const point = pointOf(line);
    const options = (fields[3] ?? '').split(',');
    if (line.trim().startsWith('#') || point?.startsWith('/') !== true || options.includes('noauto')) return [];
    return [point];
  });
}

/** Blanks in paths are written as `\040`. */
const pointOf = (line: string): string | undefined =>
  line
    .trim()
    .split(/\s+/)[1]
    ?.replace(/\\(\d{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

function longestAbove(folder: string, points: readonly string[]): string | undefined {
  const above = points.filter((point) => point !== '/' && (folder === point || folder.startsWith(`${point}/`)));
  return above.sort((a, b) => b.length - a.length)[0];
}
