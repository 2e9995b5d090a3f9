import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../config/load-config.ts';
import { defineCommand } from './command.ts';
import { CommandError, ExitStatus } from './exit-status.ts';
import { explainMessage } from './explain/explain-message.ts';
import { MessageFile } from './explain/message-file.ts';
import { printExplanation } from './explain/print-explanation.ts';
import { jsonText } from './json.ts';

/** `detach-mta explain`: 1 when a mail program reads the message in another way than we do. */
export const explain = defineCommand({
  name: 'explain',
  summary: 'Says what would happen to a message, part by part, and why; stores and sends nothing',
  examples: ['explain < message.eml', 'explain --from anna@example.com --to bob@example.org --json < message.eml'],
  operands: '< message.eml',
  options: {
    from: {
      type: 'string',
      value: 'ADDRESS',
      help: "the envelope's sender, '' for a bounce; by default what Return-Path or From says",
    },
    to: {
      type: 'string',
      multiple: true,
      value: 'ADDRESS',
      help: 'a recipient of the envelope; by default one that is not exempt',
    },
    json: { type: 'boolean', help: 'print JSON' },
  },
  run: async ({ sources, options, input, print, signal }) => {
    const from = options.from === undefined ? undefined : options.from === '' ? '' : mailbox('from', options.from);
    const to = (options.to ?? []).map((address) => mailbox('to', address));
    const config = loadConfig(sources);
    const directory = await mkdtemp(join(tmpdir(), 'detach-explain-'));
    try {
      const message = await MessageFile.write(join(directory, 'before.eml'), input);
      const explanation = await explainMessage(message, { config, from, to, directory, signal });
      await print(options.json === true ? jsonText(explanation, 2) : printExplanation(explanation));
      return explanation.mailProgram.differences.length > 0 ? ExitStatus.found : ExitStatus.ok;
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
});

/** With or without angle brackets, `<>` for the null reverse-path; a byte string, as SMTP has it. */
function mailbox(option: 'from' | 'to', address: string): string {
  const bare = address.replace(/^<(.*)>$/s, '$1');
  const isNull = option === 'from' && address === '<>';
  // RFC 5321 section 4.1.1.3: the postmaster of any domain.
  if (!isNull && !/^(?:[^\s<>]+@[^\s<>@]+|".*"@[^\s<>@]+|postmaster)$/iu.test(bare))
    throw new CommandError(ExitStatus.usage, `--${option} must be an address, not ${JSON.stringify(address)}`);
  return Buffer.from(bare).toString('latin1');
}
