import type { Key, Keyring } from './keyring.ts';
import { tag64 } from './keyring.ts';
import type { Stamp } from './stamp.ts';

export interface Envelope {
  readonly reversePath: string;
  readonly recipients: readonly string[];
}

type Bound = Omit<Stamp, 'set' | 'tags'>;

/**
 * The MACs of a stamp.
 *
 * The stamp's MAC covers the whole text and the identity of the message. One MAC detects a stamp that was altered or copied
 * onto another message, before anything is computed for a recipient.
 *
 * A stamp for several recipients is bound to the reverse-path as well. Each recipient receives the tags of all others,
 * including those of blind copies, and could send the stamp with a guessed address: our refusal would confirm the guess.
 * Bound to the reverse-path, the stamp matches only mail of its author, and the refusal is reported to the author, who
 * knows the recipients. A stamp for one recipient reveals only the address that this copy was sent to, as the `for`
 * clause of Postfix does. It is not bound, so it still matches when a list or a forwarder sets its own reverse-path.
 */
export class StampMacs {
  readonly #keyring: Keyring;

  constructor(keyring: Keyring) {
    this.#keyring = keyring;
  }

  sign(key: Key, text: string, message: string): string {
    return tag64(this.#keyring.mac(key, 'seal', [text, message]));
  }

  /** The tag of the set and of each recipient; the envelope is normalised and names no recipient twice. */
  tags(key: Key, bound: Bound, message: string, envelope: Envelope): { set: string; tags: readonly string[] } {
    const [only, ...others] = envelope.recipients;
    if (only !== undefined && others.length === 0) {
      const mac = this.#single(key, bound, message, only);
      return { set: tag64(mac, 8), tags: [tag64(mac)] };
    }
    const tags = envelope.recipients.map((recipient) =>
      tag64(this.#shared(key, bound, message, recipient, envelope.reversePath)),
    );
    return { set: this.#set(key, bound, message, tags), tags };
  }

  /** Which of these recipients a genuine stamp names, and whether it names no others. */
  match(stamp: Stamp, message: string, envelope: Envelope): { standing: readonly string[]; exact: boolean } {
    const key = this.#keyring.find(stamp.keyId);
    if (!key) return { standing: [], exact: false };
    const written = new Set(stamp.tags.split(','));
    const standing: string[] = [];
    const tags: string[] = [];
    for (const recipient of envelope.recipients) {
      const single = this.#single(key, stamp, message, recipient);
      // A stamp for one recipient can match no other one.
      if (tag64(single, 8) === stamp.set) return { standing: [recipient], exact: true };
      const tag = tag64(this.#shared(key, stamp, message, recipient, envelope.reversePath));
      if (!written.has(tag)) continue;
      standing.push(recipient);
      tags.push(tag);
    }
    const exact = tags.length > 0 && this.#set(key, stamp, message, tags) === stamp.set;
    return { standing, exact };
  }

  #single(key: Key, bound: Bound, message: string, recipient: string): Buffer {
    return this.#keyring.mac(key, 'single', [...context(bound, message), recipient]);
  }

  #shared(key: Key, bound: Bound, message: string, recipient: string, reversePath: string): Buffer {
    return this.#keyring.mac(key, 'shared', [...context(bound, message), reversePath, recipient]);
  }

  #set(key: Key, bound: Bound, message: string, tags: readonly string[]): string {
    return tag64(this.#keyring.mac(key, 'set', [...context(bound, message), [...tags].sort().join(',')]));
  }
}

/** The salt makes the tags of each stamp different: two stamps of one message cannot be compared. */
const context = ({ keyId, time, fields, salt }: Bound, message: string): readonly string[] => [
  keyId,
  String(time),
  fields,
  salt,
  message,
];
