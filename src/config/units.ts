import { type Bounds, type Format, wrong } from './format.ts';

const bytesPer = new Map([
  ['b', 1],
  ['kb', 1e3],
  ['mb', 1e6],
  ['gb', 1e9],
  ['tb', 1e12],
  ['kib', 2 ** 10],
  ['mib', 2 ** 20],
  ['gib', 2 ** 30],
  ['tib', 2 ** 40],
]);

const msPer = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['min', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
  ['w', 604_800_000],
]);

/** Bytes: `1048576`, `1MiB`, `25 MB`. `K` or `M` alone are refused: they mean two things. */
export function size({ min, max = Number.MAX_SAFE_INTEGER }: Bounds): Format<number> {
  return {
    label: 'size; a plain number counts bytes',
    secret: false,
    parse(raw) {
      const bytes = measure(raw, { units: bytesPer, plain: 1 });
      if (bytes === undefined || bytes < min || bytes > max) {
        throw wrong(`a size such as 1048576, 1MiB or 25MB${describeBounds({ min, max }, plainBytes)}`, raw);
      }
      return bytes;
    },
    print: printSize,
  };
}

const unitsOfSize = ['B', 'kB', 'KiB', 'MB', 'MiB', 'GB', 'GiB', 'TB', 'TiB'];

/** In the unit that needs the fewest digits and no fraction: `50MiB`, `25MB`, `1500B`. */
export function printSize(value: number): string | number {
  const printed = unitsOfSize.map((unit) => [unit, value / bytesPer.get(unit.toLowerCase())!] as const);
  const whole = printed.filter(([, count]) => Number.isInteger(count));
  const [unit, count] = whole.reduce((best, next) => (next[1] < best[1] ? next : best));
  return value === 0 ? 0 : `${count}${unit}`;
}

/** Permission bits of a file, as chmod(1) reads them: three octal digits, with or without a zero before them. */
export const fileMode: Format<number> = {
  label: 'permissions in three octal digits',
  secret: false,
  parse(raw) {
    // YAML reads 0660 as the number 660.
    const digits = typeof raw === 'number' ? String(raw) : raw;
    if (typeof digits !== 'string' || !/^0?[0-7]{3}$/.test(digits)) throw wrong('permissions such as 0660', raw);
    return Number.parseInt(digits, 8);
  },
  print: (value) => `0${value.toString(8)}`,
};

/** What a plain number counts, and how a value is printed. Values are always milliseconds. */
export type PlainUnit = 'days' | 'seconds';

export function duration(unit: PlainUnit, { min, max = Number.MAX_SAFE_INTEGER }: Bounds): Format<number> {
  const plain = unit === 'days' ? 86_400_000 : 1000;
  return {
    label: `duration; a plain number counts ${unit}`,
    secret: false,
    parse(raw) {
      const ms = measure(raw, { units: msPer, plain });
      if (ms === undefined || ms < min || ms > max) {
        throw wrong(`a duration such as 90d, 12h or 60s${describeBounds({ min, max }, printDuration)}`, raw);
      }
      return ms;
    },
    print: printDuration,
  };
}

/** In the largest unit that needs no fraction: `90d`, `12h`, `30s`. Nothing is nothing in every unit. */
function printDuration(value: number): string | number {
  const printed = ['d', 'h', 's', 'ms'].map((unit) => [unit, value / msPer.get(unit)!] as const);
  const [unit, count] = printed.find(([, each]) => Number.isInteger(each))!;
  return value === 0 ? 0 : `${count}${unit}`;
}

interface Scale {
  /** By name in lower case, each in the smallest one. */
  readonly units: ReadonlyMap<string, number>;
  /** What a plain number counts, in the smallest unit. */
  readonly plain: number;
}

/** The value in the smallest unit; undefined when it is no measure, or no whole number of the smallest unit. */
function measure(raw: unknown, { units, plain }: Scale): number | undefined {
  if (typeof raw === 'number') return whole(raw * plain);
  if (typeof raw !== 'string') return undefined;
  const [, digits, unit] = /^(\d{1,16}(?:\.\d{1,6})?) ?([a-z]*)$/i.exec(raw.trim()) ?? [];
  if (digits === undefined || unit === undefined) return undefined;
  const factor = unit === '' ? plain : units.get(unit.toLowerCase());
  return factor === undefined ? undefined : whole(Number(digits) * factor);
}

function whole(value: number): number | undefined {
  const rounded = Math.round(value);
  // 0.1 has no exact binary form: a millionth beside a whole number is one.
  return Number.isSafeInteger(rounded) && Math.abs(rounded - value) < 1e-6 ? rounded : undefined;
}

const plainBytes = (count: number): string => `${count} ${count === 1 ? 'byte' : 'bytes'}`;

function describeBounds({ min, max }: Required<Bounds>, measured: (value: number) => string | number): string {
  const least = min > 0 ? ` of at least ${measured(min)}` : '';
  const most = max < Number.MAX_SAFE_INTEGER ? ` of at most ${measured(max)}` : '';
  return least !== '' && most !== '' ? `${least} and${most}` : `${least}${most}`;
}
