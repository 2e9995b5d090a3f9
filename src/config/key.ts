import type { Config } from './config.ts';
import type { Format, Printed } from './format.ts';

/** The value of a key that is not set. */
export type Default =
  | { readonly kind: 'value'; readonly value: Printed }
  | { readonly kind: 'none' }
  | { readonly kind: 'required'; readonly unless?: Exemption | undefined }
  | { readonly kind: 'derived'; readonly text: string; readonly derive: () => string }
  | { readonly kind: 'follows'; readonly text: string; readonly derive: (others: Config) => unknown };

/** When a required key may be missing: when another key has this value. The missing key then has the value `value`. */
export interface Exemption {
  readonly key: string;
  readonly is: string;
  readonly value: Printed;
}

/** What the reference page says about a key: one paragraph each, in Markdown. */
export interface Documentation {
  readonly doc: string;
  /** Why the default is what it is, or why there is none. */
  readonly why: string;
}

/** The declaration of one configuration key. */
export class Key<T> implements Documentation {
  readonly format: Format<T>;
  readonly default: Default;
  readonly doc: string;
  readonly why: string;

  constructor(format: Format<T>, fallback: Default, { doc, why }: Documentation) {
    this.format = format;
    this.default = fallback;
    this.doc = doc;
    this.why = why;
  }
}

/** Groups of keys, named as in the file. */
export interface Tree {
  readonly [name: string]: Key<unknown> | Tree;
}

/** What a tree of keys is read into. */
export type Resolved<S> = {
  readonly [K in keyof S]: S[K] extends Key<infer T> ? T : Resolved<S[K]>;
};

export function key<T>(format: Format<T>, options: Documentation & { readonly default: Printed }): Key<T> {
  return new Key(format, { kind: 'value', value: options.default }, options);
}

export function required<T>(
  format: Format<T>,
  options: Documentation & { readonly unless?: Exemption & { readonly value: T } },
): Key<T> {
  return new Key(format, { kind: 'required', unless: options.unless }, options);
}

/** A default that depends on the machine; `text` describes it, `derive` is called when the configuration is read. */
export function derived<T>(
  format: Format<T>,
  options: Documentation & { readonly text: string; readonly derive: () => string },
): Key<T> {
  return new Key(format, { kind: 'derived', text: options.text, derive: options.derive }, options);
}

/** A default that follows from other keys; `text` describes it, `derive` is called with their effective values. */
export function follows<T>(
  format: Format<T>,
  options: Documentation & { readonly text: string; readonly derive: (others: Config) => T },
): Key<T> {
  return new Key(format, { kind: 'follows', text: options.text, derive: options.derive }, options);
}

/** A key that may stay unset; null in the file or an empty variable unset it again. */
export function optional<T>(format: Format<T>, documentation: Documentation): Key<T | undefined> {
  const nullable: Format<T | undefined> = {
    label: format.label,
    secret: format.secret,
    parse: (raw) => (raw === null || raw === '' ? undefined : format.parse(raw)),
    print: (value) => (value === undefined ? null : format.print(value)),
  };
  return new Key(nullable, { kind: 'none' }, documentation);
}

/** All keys of a tree with their paths, in the order of declaration. */
export function* leaves(tree: Tree, prefix = ''): Generator<readonly [path: string, key: Key<unknown>]> {
  for (const [name, node] of Object.entries(tree)) {
    if (node instanceof Key) yield [prefix + name, node];
    else yield* leaves(node, `${prefix}${name}.`);
  }
}

/** `inbound.trustedNetworks` as `DETACH_INBOUND_TRUSTED_NETWORKS`. */
export function envName(path: string): string {
  return `DETACH_${path
    .replaceAll('.', '_')
    .replace(/[a-z0-9](?=[A-Z])/g, '$&_')
    .toUpperCase()}`;
}

/** A secret may be given as the path of a file that holds it: `links.secret` as `links.secretFile`. */
export const fileVariant = (path: string): string => `${path}File`;
