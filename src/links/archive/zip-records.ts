/**
 * The structures of a ZIP archive (APPNOTE.TXT 6.3.10) whose entries are stored, with size and CRC-32 known beforehand.
 *
 * We write them ourselves, because no library does what streaming needs. Libraries that stream put sizes and CRC-32
 * after the bytes (data descriptors), which `bsdtar` and Java refuse for stored entries. And none can tell the length
 * of an archive beforehand or begin in the middle of one, so a broken download of 5 GB would start again.
 */

/** An entry as both its headers describe it. */
export interface ZipEntry {
  /** Relative, without folders, at most 65,535 bytes of UTF-8. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly crc32: number;
  readonly modified: Date;
}

const max16 = 0xffff;
const max32 = 0xffffffff;

/** Section 4.4.3: 2.0 for plain entries, 4.5 for those with ZIP64 extensions. */
const plainVersion = 20;
const zip64Version = 45;
/** Section 4.4.2: made on UNIX, so that the attributes below are read as its permissions. */
const madeOnUnix = 3 << 8;
/** A plain file, rw-r--r--. */
const unixAttributes = 0o100644 * 0x10000;
/** Section 4.4.4, bit 11: the name is UTF-8. */
const utf8Flag = 1 << 11;
/** Section 4.5.3. */
const zip64Tag = 0x0001;

/** Section 4.3.7. Comes before the bytes of the entry. */
export function localHeader(entry: ZipEntry): Buffer {
  const isLarge = entry.size >= max32;
  return record([
    ['u32', 0x04034b50],
    ...common(entry, { version: isLarge ? zip64Version : plainVersion, isLarge }),
    ['u16', isLarge ? 20 : 0],
    ['utf8', entry.name],
    ...(isLarge ? zip64Extra([entry.size, entry.size]) : []),
  ]);
}

/**
 * Section 4.3.12. `offset`: where the local header stands. If one of the values needs ZIP64, all three are written
 * there: some readers (Info-ZIP's) take a single one for damage.
 */
export function centralHeader(entry: ZipEntry, offset: number): Buffer {
  const isLarge = entry.size >= max32 || offset >= max32;
  const version = isLarge ? zip64Version : plainVersion;
  return record([
    ['u32', 0x02014b50],
    ['u16', madeOnUnix | version],
    ...common(entry, { version, isLarge }),
    ['u16', isLarge ? 28 : 0],
    // No comment, disk 0, no internal attributes.
    ['u16', 0],
    ['u16', 0],
    ['u16', 0],
    ['u32', unixAttributes],
    ['u32', isLarge ? max32 : offset],
    ['utf8', entry.name],
    ...(isLarge ? zip64Extra([entry.size, entry.size, offset]) : []),
  ]);
}

export interface Directory {
  readonly entries: number;
  /** Of all central headers together: bytes. */
  readonly size: number;
  /** Where the first of them stands. */
  readonly offset: number;
}

/** Sections 4.3.14 to 4.3.16. */
export function endOfDirectory(directory: Directory): Buffer {
  const { entries, size, offset } = directory;
  const count = Math.min(entries, max16);
  const end = record([
    ['u32', 0x06054b50],
    ['u16', 0],
    ['u16', 0],
    ['u16', count],
    ['u16', count],
    ['u32', Math.min(size, max32)],
    ['u32', Math.min(offset, max32)],
    ['u16', 0],
  ]);
  const isPlain = entries < max16 && size < max32 && offset < max32;
  return isPlain ? end : Buffer.concat([zip64End(directory), end]);
}

function zip64End({ entries, size, offset }: Directory): Buffer {
  return record([
    ['u32', 0x06064b50],
    ['u64', 44],
    ['u16', madeOnUnix | zip64Version],
    ['u16', zip64Version],
    ['u32', 0],
    ['u32', 0],
    ['u64', entries],
    ['u64', entries],
    ['u64', size],
    ['u64', offset],
    // The locator: disk and offset of the ZIP64 end record above, and one disk in all.
    ['u32', 0x07064b50],
    ['u32', 0],
    ['u64', offset + size],
    ['u32', 1],
  ]);
}

type Field = readonly ['u16' | 'u32' | 'u64', number] | readonly ['utf8', string];

/** The fields that both headers have in common, from the needed version to the length of the name. */
function common(
  { name, size, crc32, modified }: ZipEntry,
  { version, isLarge }: { readonly version: number; readonly isLarge: boolean },
): Field[] {
  const { date, time } = dosTime(modified);
  const written = isLarge ? max32 : size;
  return [
    ['u16', version],
    ['u16', utf8Flag],
    // Stored (section 4.4.5).
    ['u16', 0],
    ['u16', time],
    ['u16', date],
    ['u32', crc32],
    ['u32', written],
    ['u32', written],
    ['u16', Buffer.byteLength(name)],
  ];
}

const zip64Extra = (values: readonly number[]): Field[] => [
  ['u16', zip64Tag],
  ['u16', 8 * values.length],
  ...values.map((value): Field => ['u64', value]),
];

/** Section 4.4.6, in UTC: the same bytes on every machine. Years before 1980 cannot be written. */
function dosTime(when: Date): { readonly date: number; readonly time: number } {
  const year = Math.min(Math.max(when.getUTCFullYear() - 1980, 0), 127);
  return {
    date: (year << 9) | ((when.getUTCMonth() + 1) << 5) | when.getUTCDate(),
    time: (when.getUTCHours() << 11) | (when.getUTCMinutes() << 5) | (when.getUTCSeconds() >> 1),
  };
}

function record(fields: readonly Field[]): Buffer {
  const bytes = Buffer.alloc(fields.reduce((sum, field) => sum + widthOf(field), 0));
  let at = 0;
  for (const field of fields) {
    const [kind, value] = field;
    if (kind === 'utf8') bytes.write(value, at, kind);
    else if (kind === 'u16') bytes.writeUInt16LE(value, at);
    else if (kind === 'u32') bytes.writeUInt32LE(value, at);
    else bytes.writeBigUInt64LE(BigInt(value), at);
    at += widthOf(field);
  }
  return bytes;
}

function widthOf([kind, value]: Field): number {
  switch (kind) {
    case 'u16':
      return 2;
    case 'u32':
      return 4;
    case 'u64':
      return 8;
    case 'utf8':
      return Buffer.byteLength(value);
    default:
      return kind satisfies never;
  }
}
