import { randomBytes } from 'node:crypto';
import type { GuardKey } from '../config/config.ts';
import type { HeaderBlock, HeaderField } from '../message/header-block.ts';
import { normaliseMailbox } from '../smtp/address.ts';
import { CallChain } from './call-chain.ts';
import { Identity } from './identity.ts';
import type { Guard, Inspection, Passage, Trace } from './interface.ts';
import { Keyring } from './keyring.ts';
import { ownMarker, receivedField } from './marker.ts';
import { StampMacs, type Envelope, type Genuine } from './stamp-macs.ts';
import { formatStamp, parseStamp, stampKey, stampText } from './stamp.ts';

export interface GuardOptions {
  /** Name shared by the replicas. */
  readonly cluster: string;
  /** The first one signs, all of them verify. */
  readonly keys: readonly GuardKey[];
  /** How often a recipient's copy may pass this cluster, 1 or more. */
  readonly maxPasses: number;
  /** How many Received fields of anybody a message may bring. */
  readonly hopLimit: number;
}

/** Limit for trace fields of our own cluster. It holds also when a hop has removed the stamps. */
const ownHopLimit = 10;
/** Longer than any mail is in transit: Postfix gives up after five days. */
const maxAgeSeconds = 14 * 86_400;
/** How far ahead the clock of another replica may be. */
const maxSkewSeconds = 86_400;
/** At most so many stamps of anybody are read, from the top. */
const maxStampsRead = 1000;
/** Of the stamps with our name, the MACs of at most so many are checked, from the top: the latest stamp comes first. */
const maxStampsExamined = 100;

export function createGuard(options: GuardOptions): Guard {
  return new HmacGuard(options);
}

class HmacGuard implements Guard {
  readonly cluster: string;
  readonly fingerprint: string;
  readonly #keyring: Keyring;
  readonly #macs: StampMacs;
  readonly #chain: CallChain;
  readonly #maxPasses: number;
  readonly #hopLimit: number;
  readonly #ownHopLimit: number;

  constructor({ cluster, keys, maxPasses, hopLimit }: GuardOptions) {
    this.#keyring = new Keyring(cluster, keys);
    this.#macs = new StampMacs(this.#keyring);
    this.#chain = new CallChain(this.#keyring, maxPasses);
    this.#maxPasses = maxPasses;
    this.#hopLimit = hopLimit;
    this.#ownHopLimit = Math.max(ownHopLimit, maxPasses + 1);
    this.cluster = this.#keyring.cluster;
    this.fingerprint = this.#chain.fingerprint;
  }

  inspect(header: HeaderBlock, passage: Passage): Inspection {
    const hops = header.count('received');
    const markers = new Set<string>();
    // More than the limit need not be told apart, so a thousand copied fields cost no thousand MACs.
    for (const field of header.all('received', this.#hopLimit)) {
      const marker = ownMarker(this.#keyring, field);
      if (marker !== undefined) markers.add(marker);
    }
    if (markers.size >= this.#ownHopLimit) return tooManyHops(`passed this cluster ${markers.size} times`);
    if (hops >= this.#hopLimit) return tooManyHops(`${hops} Received fields, loopguard.hopLimit is ${this.#hopLimit}`);
    const stamps = header.all(stampKey, maxStampsRead);
    if (stamps.length === 0) return { kind: 'pass', looping: passage.recipients.map(() => false), reason: 'no stamps' };
    return this.#inspectStamps(header, stamps, passage);
  }

  stamp(header: HeaderBlock, { recipients, reversePath, now }: Passage): string {
    const { cluster, signing } = this.#keyring;
    const identity = new Identity(header);
    const fields = identity.fields();
    const time = Math.floor(now / 1000);
    const message = identity.of(fields) ?? '';
    const envelope = compared({ reversePath, recipients });
    const bound = { cluster, keyId: signing.id, time, fields, salt: randomTag() };
    const { set, tags } = this.#macs.tags({ key: signing, stamp: bound, message }, envelope);
    const text = stampText(bound, { set, tags: padded(tags).sort().join(',') });
    return formatStamp(text, this.#macs.sign(signing, { text, message }));
  }

  received(trace: Trace, now: number): string {
    return receivedField(this.#keyring, trace, { now });
  }

  admits(chain: string | undefined): boolean {
    return this.#chain.admits(chain);
  }

  extendChain(chain: string | undefined): string {
    return this.#chain.extend(chain);
  }

  isOurs(fingerprint: string | undefined): boolean {
    return this.#chain.isOurs(fingerprint);
  }

  #inspectStamps(header: HeaderBlock, fields: readonly HeaderField[], passage: Passage): Inspection {
    const envelope = compared(passage);
    const stands = new Map<string, number>();
    const exact = new Map<string, number>();
    const genuine = this.#genuine(header, fields, passage);
    for (const each of genuine) {
      const match = this.#macs.match(each, envelope);
      for (const recipient of match.standing) {
        stands.set(recipient, (stands.get(recipient) ?? 0) + 1);
        if (match.exact) exact.set(recipient, (exact.get(recipient) ?? 0) + 1);
      }
    }
    const looping = passage.recipients.map((mailbox) => {
      const recipient = normaliseMailbox(mailbox);
      return (exact.get(recipient) ?? 0) >= this.#maxPasses || (stands.get(recipient) ?? 0) > this.#maxPasses;
    });
    const count = looping.filter(Boolean).length;
    const reason = `${genuine.length} of ${fields.length} stamps are ours, ${count} of ${looping.length} recipients loop`;
    return { kind: 'pass', looping, reason };
  }

  /**
   * The stamps that we wrote on this message within `maxAgeSeconds`, each once. Reading stops at twice as many as the
   * counts let pass, which bounds the work that a message with many genuine stamps can cause.
   */
  #genuine(header: HeaderBlock, fields: readonly HeaderField[], { now }: Passage): readonly Genuine[] {
    const identity = new Identity(header);
    const seconds = now / 1000;
    const found = new Map<string, Genuine>();
    let examined = 0;
    for (const field of fields) {
      const parsed = parseStamp(field);
      if (parsed?.stamp.cluster !== this.#keyring.cluster) continue;
      const { stamp, text, mac } = parsed;
      if (stamp.time < seconds - maxAgeSeconds || stamp.time > seconds + maxSkewSeconds) continue;
      const key = this.#keyring.find(stamp.keyId);
      const message = identity.of(stamp.fields);
      if (!key || message === undefined || found.has(mac)) continue;
      examined += 1;
      if (examined > maxStampsExamined || found.size === 2 * this.#ownHopLimit) break;
      if (this.#macs.sign(key, { text, message }) === mac) found.set(mac, { stamp, message });
    }
    return [...found.values()];
  }
}

const tooManyHops = (reason: string): Inspection => ({
  kind: 'refuse',
  fence: 'count',
  failure: 'tooManyHops',
  reason,
});

/** The envelope in the form that MACs are made of: normalised, every recipient once. */
function compared({ reversePath, recipients }: Envelope): Envelope {
  return {
    reversePath: normaliseMailbox(reversePath),
    recipients: [...new Set(recipients.map((mailbox) => normaliseMailbox(mailbox)))],
  };
}

/** 8, 16, 32, … tags, so that recipients cannot be counted. Sorted, their order tells nothing. */
function padded(tags: readonly string[]): string[] {
  let size = 8;
  while (size < tags.length) size *= 2;
  const all = [...tags];
  while (all.length < size) all.push(randomTag());
  return all;
}

/** Bytes of a tag. With one byte more, base64url ends at a whole character, so that many tags can be cut out of it. */
const tagBytes = 8;
const alignedBytes = tagBytes + 1;
const tagLength = 11;
const alignedLength = 12;
/** Tags for 64 stamps of mail with one recipient. */
const tagsPerCall = 512;

let made: string[] = [];

/**
 * 64 random bits, written as the tag of a MAC is: nobody can tell which tags stand for a recipient. They are made for
 * many stamps at once: a stamp takes 25 µs instead of 38. To take it out, make one tag of `tagBytes` here.
 */
function randomTag(): string {
  if (made.length === 0) made = randomTags(tagsPerCall);
  return made.pop()!;
}

function randomTags(count: number): string[] {
  const random = randomBytes(count * alignedBytes);
  for (let end = tagBytes; end < random.length; end += alignedBytes) random[end] = 0;
  const text = random.toString('base64url');
  return Array.from({ length: count }, (_, i) => text.slice(i * alignedLength, i * alignedLength + tagLength));
}
