import type { FileRange } from '../../storage/interface.ts';

/**
 * The one range that a request asks for (RFC 9110 section 14.2). Several ranges, other units and invalid values are
 * ignored, as the section allows. undefined: the whole file.
 */
export function parseRange(header: string | undefined, size: number): FileRange | 'unsatisfiable' | undefined {
  const [, first, last] = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(header ?? '') ?? [];
  if (first === undefined || last === undefined || first + last === '') return undefined;
  if (first === '') {
    const count = Math.min(Number(last), size);
    return count === 0 ? 'unsatisfiable' : { offset: size - count, count };
  }
  const offset = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < offset) return undefined;
  return offset >= size ? 'unsatisfiable' : { offset, count: end - offset + 1 };
}
