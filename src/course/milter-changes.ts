/**
 * A finished message as the changes that a Milter asks for.
 *
 * The detacher gives a whole new header block, since over SMTP the whole message is sent on. A Milter names what is
 * different: fields of ours on top, and fields of the content where the message itself was one file.
 */
import type { HeaderChange } from '../inbound/milter/interface.ts';
import { HeaderBlock, type HeaderField } from '../message/header-block.ts';

/** Above all fields, also the mail server's own Received field. */
const topPosition = 0;

/** Below all fields, however many are inserted: a server appends a field whose position is beyond the last one. */
const bottomPosition = 1_000_000;

/** A complete field of ours, its CRLF included, as a field to be inserted on top. */
export function insertOnTop(field: string): HeaderChange {
  const colon = field.indexOf(':');
  return { kind: 'insert', index: topPosition, name: field.slice(0, colon), value: valueOf(field.slice(colon + 1)) };
}

/** What turns the header that the filter was shown into the one that is to be delivered. */
export function headerChanges(shown: HeaderBlock, wanted: HeaderBlock): readonly HeaderChange[] {
  // Compared as bytes: a header can have a hundred thousand fields, and an object is made for each that is looked at.
  const addedBytes = wanted.raw.length - shown.raw.length;
  const isLineStart = addedBytes === 0 || wanted.raw[addedBytes - 1] === 0x0a;
  if (isLineStart && addedBytes >= 0 && wanted.raw.subarray(addedBytes).equals(shown.raw))
    return HeaderBlock.parse(wanted.raw.subarray(0, addedBytes))
      .fields.toReversed()
      .map(({ raw }) => insertOnTop(raw.toString('latin1')));
  return byName(shown.fields, wanted.fields);
}

/** Field by field of each name: changed, deleted, or added below the others. Where fields stand means nothing here. */
function byName(shown: readonly HeaderField[], wanted: readonly HeaderField[]): readonly HeaderChange[] {
  const [before, after] = [grouped(shown), grouped(wanted)];
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].flatMap((key) => changesOf(before.get(key) ?? [], after.get(key) ?? []));
}

function grouped(fields: readonly HeaderField[]): ReadonlyMap<string, readonly HeaderField[]> {
  const groups = new Map<string, HeaderField[]>();
  for (const field of fields) {
    const group = groups.get(field.key);
    if (group) group.push(field);
    else groups.set(field.key, [field]);
  }
  return groups;
}

function changesOf(shown: readonly HeaderField[], wanted: readonly HeaderField[]): readonly HeaderChange[] {
  const changes: HeaderChange[] = [];
  // From the last to the first: a deleted field moves those below it up.
  for (let i = shown.length - 1; i >= 0; i--) {
    const [before, after] = [shown[i]!, wanted[i]];
    if (after?.raw.equals(before.raw) === true) continue;
    const value = after ? fieldValue(after) : '';
    changes.push({ kind: 'change', index: i + 1, name: before.name, value });
  }
  for (const field of wanted.slice(shown.length)) {
    const index = field.key.startsWith('content-') ? bottomPosition : topPosition;
    changes.push({ kind: 'insert', index, name: field.name, value: fieldValue(field) });
  }
  return changes;
}

const fieldValue = ({ raw }: HeaderField): string => valueOf(raw.toString('latin1', raw.indexOf(0x3a) + 1));

/** Lines of a folded value are separated by LF; an empty value would delete the field. */
const valueOf = (text: string): string => text.replace(/\r\n$/, '').replaceAll('\r\n', '\n') || ' ';
