import database, { type MimeEntry } from 'mime-db';

/**
 * Where the database has no answer, or another one than the programs that people use: types by extension, and the
 * extension to give to a type. The rest is the database's.
 */
const typeExceptions: Readonly<Record<string, string>> = {
  dat: 'application/ms-tnef',
  flac: 'audio/flac',
  iso: 'application/x-iso9660-image',
  m4v: 'video/mp4',
  rtf: 'application/rtf',
  tgz: 'application/gzip',
  vcf: 'text/vcard',
  xml: 'application/xml',
};
const extensionExceptions: ReadonlyMap<string, string> = new Map([
  ['application/ms-tnef', 'dat'],
  ['application/postscript', 'ps'],
  ['audio/3gpp', '3gp'],
  ['audio/3gpp2', '3g2'],
  ['audio/aac', 'aac'],
  ['audio/ac3', 'ac3'],
  ['audio/amr-wb', 'awb'],
  ['audio/evrc', 'evc'],
  ['audio/evrc-qcp', 'qcp'],
  ['audio/flac', 'flac'],
  ['audio/mp4a-latm', 'm4a'],
  ['audio/mpeg', 'mp3'],
  ['audio/ogg', 'ogg'],
  ['audio/qcelp', 'qcp'],
  ['audio/speex', 'spx'],
  ['audio/vnd.qcelp', 'qcp'],
  ['audio/vnd.wave', 'wav'],
  ['image/pjpeg', 'jpg'],
  ['text/vcard', 'vcf'],
  ['video/mpeg', 'mpg'],
  ['video/quicktime', 'mov'],
]);

/** Says nothing about the content (RFC 2046 section 4.5.1). */
export const unknownType = 'application/octet-stream';

const types = typesByExtension();

/** The usual extension of a type in lower case, without a dot; of `application/x-pdf` and `audio/mp3` as well. */
export function extensionOf(type: string): string | undefined {
  if (type === unknownType) return undefined;
  const [kind, subtype = ''] = type.split('/');
  const plain = subtype.replace(/^x-/, '');
  return listedExtension(type) ?? listedExtension(`${kind}/${plain}`) ?? (types.has(plain) ? plain : undefined);
}

const listedExtension = (type: string): string | undefined =>
  extensionExceptions.get(type) ?? (Object.hasOwn(database, type) ? database[type]?.extensions?.[0] : undefined);

/** The usual type of files with this extension, which is in lower case and has no dot. */
export function typeOf(extension: string): string | undefined {
  return types.get(extension);
}

function typesByExtension(): ReadonlyMap<string, string> {
  const best = new Map<string, { readonly type: string; readonly rank: number }>();
  for (const [type, entry] of Object.entries(database)) {
    for (const extension of entry.extensions ?? []) {
      const rank = rankOf(entry, { type, extension });
      if (rank > (best.get(extension)?.rank ?? -Infinity)) best.set(extension, { type, rank });
    }
  }
  const found = [...best].map(([extension, { type }]) => [extension, type] as const);
  return new Map([...found, ...Object.entries(typeExceptions)]);
}

/** Several types name the same extension: registered ones first (RFC 6838), then those that name it first. */
function rankOf(
  { source, extensions = [] }: MimeEntry,
  { type, extension }: { readonly type: string; readonly extension: string },
): number {
  const registered = source === 'iana' ? 4 : source === 'apache' ? 2 : source === undefined ? 0 : 1;
  const unregisteredName = type.includes('/x-') ? 3 : type.includes('/vnd.') ? 0.2 : 0;
  const general = type.startsWith('application/') ? 0.1 : 0;
  return registered + (extensions[0] === extension ? 0.5 : 0) - unregisteredName - general;
}
