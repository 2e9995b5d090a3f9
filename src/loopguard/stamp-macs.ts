import type { Key, Keyring } from './keyring.ts';
import { tag64 } from './keyring.ts';
import type { Bound, Stamp } from './stamp.ts';

export interface Envelope {
  readonly reversePath: string;
  readonly recipients: readonly string[];
}

/** What the tags of a stamp are bound to, apart from the envelope. */
interface Binding {
  readonly key: Key;
  readonly stamp: Bound;
  /** Identity of the message. */
  readonly message: string;
}

/** A stamp that we wrote on the message with this identity. */
export interface Genuine {
  readonly stamp: Stamp;
  readonly message: string;
}

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

  sign(key: Key, { text, message }: { readonly text: string; readonly message: string }): string {
    return tag64(this.#keyring.mac(key, { purpose: 'seal', parts: [text, message] }));
  }

  /** The tag of the set and of each recipient; the envelope is normalised and names no recipient twice. */
  tags(binding: Binding, envelope: Envelope): { set: string; tags: readonly string[] } {
    const [only, ...others] = envelope.recipients;
    if (only !== undefined && others.length === 0) {
      const mac = this.#single(binding, only);
      return { set: tag64(mac, 8), tags: [tag64(mac)] };
    }
    const tags = envelope.recipients.map((recipient) => tag64(this.#shared(binding, recipient, envelope)));
    return { set: this.#set(binding, tags), tags };
  }

  /** Which of these recipients a genuine stamp names, and whether it names no others. */
  match({ stamp, message }: Genuine, envelope: Envelope): { standing: readonly string[]; exact: boolean } {
    const key = this.#keyring.find(stamp.keyId);
    if (!key) return { standing: [], exact: false };
    const binding = { key, stamp, message };
    const written = new Set(stamp.tags.split(','));
    const standing: string[] = [];
    const tags: string[] = [];
    for (const recipient of envelope.recipients) {
      const single = this.#single(binding, recipient);
      // A stamp for one recipient can match no other one.
      if (tag64(single, 8) === stamp.set) return { standing: [recipient], exact: true };
      const tag = tag64(this.#shared(binding, recipient, envelope));
      if (!written.has(tag)) continue;
      standing.push(recipient);
      tags.push(tag);
    }
    const exact = tags.length > 0 && this.#set(binding, tags) === stamp.set;
    return { standing, exact };
  }

  #single(binding: Binding, recipient: string): Buffer {
    return this.#keyring.mac(binding.key, { purpose: 'single', parts: [...context(binding), recipient] });
  }

  #shared(binding: Binding, recipient: string, { reversePath }: Envelope): Buffer {
    const parts = [...context(binding), reversePath, recipient];
    return this.#keyring.mac(binding.key, { purpose: 'shared', parts });
  }

  #set(binding: Binding, tags: readonly string[]): string {
    const parts = [...context(binding), [...tags].sort().join(',')];
    return tag64(this.#keyring.mac(binding.key, { purpose: 'set', parts }));
  }
}

/** The salt makes the tags of each stamp different: two stamps of one message cannot be compared. */
const context = ({ stamp, message }: Binding): readonly string[] => [
  stamp.keyId,
  String(stamp.time),
  stamp.fields,
  stamp.salt,
  message,
];
