import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type Document, isAlias, isMap, isScalar, LineCounter, type Node, parseDocument, type YAMLError } from 'yaml';
import { codeOf } from '../smtp/failures.ts';
import { ConfigError, type Problem } from './config-error.ts';
import { fileVariant, Key, leaves, type Tree } from './key.ts';
import { suggest } from './suggest.ts';

/** What a file sets: raw values in the shape of the tree, and where each of them was written. */
export interface FileValues {
  readonly values: Readonly<Record<string, unknown>>;
  /** `mta.yaml:3` by path. */
  readonly places: ReadonlyMap<string, string>;
  /** Keys that do not exist, groups that are no groups. */
  readonly problems: readonly Problem[];
}

/** @throws ConfigError when the file cannot be read or is no YAML */
export function readConfigFile(file: string, tree: Tree): FileValues {
  let source: string;
  try {
    source = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    const reason = codeOf(error);
    const message =
      reason === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'is not valid UTF-8' : `cannot be read (${reason})`;
    throw new ConfigError([{ subject: file, message }]);
  }
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false });
  const wrong = [...document.errors, ...document.warnings];
  if (wrong.length > 0) {
    throw new ConfigError(
      wrong.map((error) => {
        const { line, col } = lines.linePos(error.pos[0]);
        return { subject: `${file}:${line}:${col}`, message: describeSyntaxError(error) };
      }),
    );
  }
  const place = (node: Node): string => `${basename(file)}:${lines.linePos(node.range?.[0] ?? 0).line}`;
  return new Reader(document, { tree, place }).read();
}

/** The parser's message without its quotation from the file, which may be a secret. */
function describeSyntaxError(error: YAMLError): string {
  return error.message.replace(/(?:(?<=[\w)]): | (?<=escape sequence )).*$/s, '');
}

interface Group {
  /** What is declared in it. */
  readonly tree: Tree;
  /** Its path with a dot at the end; '' of the whole file. */
  readonly prefix: string;
}

class Reader {
  readonly #document: Document.Parsed;
  readonly #tree: Tree;
  readonly #place: (node: Node) => string;
  readonly #places = new Map<string, string>();
  readonly #problems: Problem[] = [];

  constructor(document: Document.Parsed, options: { readonly tree: Tree; readonly place: (node: Node) => string }) {
    this.#document = document;
    this.#tree = options.tree;
    this.#place = options.place;
  }

  read(): FileValues {
    const values = this.#readGroup(this.#document.contents, { tree: this.#tree, prefix: '' });
    return { values, places: this.#places, problems: this.#problems };
  }

  #readGroup(given: Node | null, { tree, prefix }: Group): Record<string, unknown> {
    const node = isAlias(given) ? (given.resolve(this.#document) ?? null) : given;
    const values: Record<string, unknown> = {};
    // A group whose keys are all commented out reads as null.
    if (node === null || (isScalar(node) && node.value === null)) return values;
    if (!isMap<Node, Node | null>(node)) {
      const subject = prefix === '' ? 'configuration' : prefix.slice(0, -1);
      this.#problems.push({ subject, message: 'must be a group of keys', where: this.#place(node) });
      return values;
    }
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : '?';
      const path = prefix + name;
      const where = this.#place(key);
      const declared = lookUp(tree, name);
      if (declared === undefined) this.#problems.push({ subject: path, message: this.#unknown(path), where });
      else if (declared === 'leaf') {
        this.#places.set(path, where);
        values[name] = this.#readValue(path, value);
      } else values[name] = this.#readGroup(value, { tree: declared, prefix: `${path}.` });
    }
    return values;
  }

  #readValue(path: string, given: Node | null): unknown {
    const node = isAlias(given) ? (given.resolve(this.#document) ?? given) : given;
    const where = this.#places.get(path);
    if (isMap(node)) {
      this.#problems.push({ subject: path, message: 'must be a value, not a group of keys', where });
      return null;
    }
    try {
      return (node?.toJS(this.#document) as unknown) ?? null;
    } catch (error) {
      // An alias without its anchor. Most often it is a value that begins with an asterisk, perhaps a secret.
      if (!(error instanceof ReferenceError)) throw error;
      this.#problems.push({
        subject: path,
        message: 'must be in quotes: it begins with *',
        where,
      });
      return null;
    }
  }

  #unknown(path: string): string {
    const known = [...leaves(this.#tree)].map(([name]) => name);
    const last = path.slice(path.lastIndexOf('.') + 1);
    const guess =
      suggest(path, known) ?? known.find((name) => name.endsWith(`.${last}`)) ?? suggest(path, Object.keys(this.#tree));
    return guess === undefined ? 'unknown key' : `unknown key, did you mean ${guess}?`;
  }
}

/** What a name stands for in a group: a key (or the file variant of a secret), a group, or nothing. */
function lookUp(tree: Tree, name: string): Tree | 'leaf' | undefined {
  const node = Object.hasOwn(tree, name) ? tree[name] : undefined;
  if (node instanceof Key) return 'leaf';
  if (node !== undefined) return node;
  const variant = Object.entries(tree).some(
    ([key, value]) => value instanceof Key && value.format.secret && fileVariant(key) === name,
  );
  return variant ? 'leaf' : undefined;
}
