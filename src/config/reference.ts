import { stringify } from 'yaml';
import type { Default } from './key.ts';
import { envName, fileVariant, Key, leaves, type Tree } from './key.ts';

/** The reference page of all keys, in Markdown: a pure function of their declarations. */
export function renderReference(tree: Tree): string {
  const index = [...leaves(tree)].map(([path, key]) => `| [\`${path}\`](#${anchor(path)}) | ${shortDefault(key)} |`);
  const sections = Object.entries(tree).flatMap(([name, node]) =>
    node instanceof Key
      ? [renderKey(name, node)]
      : [`## ${name}`, ...[...leaves(node, `${name}.`)].map(([path, key]) => renderKey(path, key))],
  );
  return `${[introduction, ['| key | default |', '|---|---|', ...index].join('\n'), ...sections].join('\n\n')}\n`;
}

const introduction = `# Configuration

<!-- Written by \`npx tsx src/config/print-reference.ts > docs/configuration.md\`. Change the schema in src/config instead. -->

\`detach-mta serve --config FILE\` reads a YAML file. Every key can also be set as an environment variable, which
overrides the file; lists are comma-separated there. An empty variable unsets a key that may be unset, and empties a list.

\`detach-mta config --config FILE\` checks everything and prints the effective values with secrets masked: a configuration
that says the same, once the secrets are put back. When anything is wrong it prints one line per error, each naming its
key, and exits with status 78; \`serve\` does the same and does not start. Unknown keys and unknown variables that begin with \`DETACH_\` are errors.

**Sizes** are numbers of bytes or carry a unit: \`kB\`, \`MB\`, \`GB\` count in thousands, \`KiB\`, \`MiB\`, \`GiB\` in 1,024s.
**Durations** carry \`ms\`, \`s\`, \`m\`, \`h\`, \`d\` or \`w\`; what a plain number counts stands with each key.
**Secrets** are never printed or logged. Each can be kept in a file of its own, named by the key with \`File\` at its end;
a list has an entry per line there.

A configuration with everything that has no default:

\`\`\`yaml
outbound:
  nextHop: [192.0.2.25:25]
loopguard:
  cluster: example
  keysFile: /etc/detach-mta/loopguard.keys
storage:
  accountUrl: https://example.blob.core.windows.net
links:
  baseUrl: https://files.example.com
  secretFile: /etc/detach-mta/links.secret
\`\`\``;

function renderKey(path: string, key: Key<unknown>): string {
  const variable = envName(path);
  const lines = [
    `### ${path}`,
    '',
    key.doc,
    '',
    `- Value: ${key.format.label}`,
    `- Default: ${describeDefault(key.default)}. ${key.why}`,
    `- Environment: \`${variable}\``,
  ];
  if (key.format.secret) {
    lines.push(`- Secret; from a file: \`${fileVariant(path)}\`, \`${envName(fileVariant(path))}\``);
  }
  return lines.join('\n');
}

/** What a key is worth when nobody sets it, in Markdown. */
export function describeDefault(fallback: Default): string {
  switch (fallback.kind) {
    case 'value':
      return code(fallback.value);
    case 'none':
      return 'not set';
    case 'required':
      return fallback.unless
        ? `none, it must be set unless \`${fallback.unless.key}\` is \`${fallback.unless.is}\``
        : 'none, it must be set';
    case 'derived':
    case 'follows':
      return fallback.text;
    default:
      return fallback satisfies never;
  }
}

function shortDefault({ default: fallback }: Key<unknown>): string {
  switch (fallback.kind) {
    case 'value':
      return code(fallback.value);
    case 'none':
      return '';
    case 'required':
      return '**required**';
    case 'derived':
      return 'depends on the machine';
    case 'follows':
      return 'depends on other keys';
    default:
      return fallback satisfies never;
  }
}

function code(value: unknown): string {
  return `\`${stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim()}\``;
}

/** As the usual renderers of Markdown derive it from the heading. */
const anchor = (path: string): string => path.toLowerCase().replaceAll('.', '');
