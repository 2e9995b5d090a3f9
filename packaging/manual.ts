/**
 * The manual pages, from the commands' own help and the configuration schema:
 * `tsx packaging/manual.ts DIRECTORY` writes detach-mta.1 and detach-mta.yaml.5. A pure function of the sources, so that
 * two builds of the package are equal.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { allCommands } from '../src/commands/all-commands.ts';
import { envName, fileVariant, leaves, type Key } from '../src/config/key.ts';
import { describeDefault } from '../src/config/reference.ts';
import { schema } from '../src/config/schema.ts';

/** Text as roff: a dot or an apostrophe at the start of a line would be a request. */
const roff = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/gm, '\\&$1');

/** The little Markdown that the schema uses: `code` and links. */
const prose = (markdown: string): string =>
  roff(markdown.replace(/\[([^\]]+)\]\([^)]+\)/g, '$1')).replace(/`([^`]+)`/g, '\\fB$1\\fR');

const heading = (name: string, section: number): string =>
  `.TH ${name.toUpperCase()} ${section} "" "Detach MTA" "Detach MTA"`;

async function commandPage(): Promise<string> {
  const sections = (await allCommands()).flatMap(({ name, help }) => [
    '.SS ' + roff(`detach-mta ${name}`),
    '.nf',
    roff(help.trimEnd()),
    '.fi',
  ]);
  return [
    heading('detach-mta', 1),
    '.SH NAME',
    'detach\\-mta \\- relay MTA that stores large attachments and puts links in their place',
    '.SH SYNOPSIS',
    '.B detach\\-mta',
    '.I COMMAND',
    '[\\fB\\-\\-config\\fR \\fIFILE\\fR] [\\fIOPTION\\fR]...',
    '.SH DESCRIPTION',
    roff(
      'Detach MTA stands between two Postfix servers, or beside one. It takes large attachments out of messages while they stream through, stores each file once, and puts a link in its place. It has no queue: it answers 250 when every file is stored and the next hop has taken the message.',
    ),
    '.PP',
    roff(
      'Without --config a command takes the configuration of the service, /etc/detach-mta/detach-mta.yaml. Run it as root: the secrets are for the service and root alone.',
    ),
    '.SH COMMANDS',
    ...sections,
    '.SH EXIT STATUS',
    '.TP\n.B 0\nwell',
    '.TP\n.B 1\nfound something wrong',
    '.TP\n.B 64\nwrong usage',
    '.TP\n.B 65\nthe data are wrong',
    '.TP\n.B 66\nnot there',
    '.TP\n.B 69\nstorage or next hop cannot be reached',
    '.TP\n.B 78\nthe configuration is wrong',
    '.SH FILES',
    '.TP\n.I /etc/detach\\-mta/detach\\-mta.yaml\nthe configuration of the service',
    '.TP\n.I /etc/detach\\-mta/secrets\nkeys, made at the first installation; back them up',
    '.TP\n.I /var/lib/detach\\-mta\nthe spool, and the files where they are kept on this machine',
    '.TP\n.I /usr/share/doc/detach\\-mta\nthe documents: README.md leads through them; configurations of Postfix are in examples',
    '.SH SEE ALSO',
    '.BR detach\\-mta.yaml (5),\n.BR postconf (5)',
    '',
  ].join('\n');
}

function configurationPage(): string {
  const entries = [...leaves(schema)].flatMap(([path, key]) => entry(path, key));
  return [
    heading('detach-mta.yaml', 5),
    '.SH NAME',
    'detach\\-mta.yaml \\- configuration of Detach MTA',
    '.SH DESCRIPTION',
    roff(
      'A YAML file. Every key can also be set as an environment variable, which overrides the file; lists are comma-separated there. Sizes carry kB, MB, GB (thousands) or KiB, MiB, GiB (1,024s); durations ms, s, m, h, d or w. A secret can be kept in a file of its own, named by the key with File at its end.',
    ),
    '.SH KEYS',
    ...entries,
    '.SH SEE ALSO',
    '.BR detach\\-mta (1)',
    '',
  ].join('\n');
}

function entry(path: string, key: Key<unknown>): string[] {
  const lines = ['.TP', `.B ${roff(path)}`, prose(key.doc), '.br', prose(`Value: ${key.format.label}`), '.br'];
  lines.push(
    prose(`Default: ${describeDefault(key.default)}. ${key.why}`),
    '.br',
    roff(`Environment: ${envName(path)}`),
  );
  if (key.format.secret) lines.push('.br', roff(`From a file: ${fileVariant(path)}`));
  return lines;
}

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new TypeError('usage: manual.ts DIRECTORY');
writeFileSync(join(directory, 'detach-mta.1'), await commandPage());
writeFileSync(join(directory, 'detach-mta.yaml.5'), configurationPage());
