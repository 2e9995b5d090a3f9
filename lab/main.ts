import { parseArgs } from 'node:util';
import { removeLeftovers } from '../test/harness/machine/leftovers.ts';
import { breakable, breakThings } from './break/break.ts';
import { Interrupted } from './interrupt.ts';
import { once } from './once.ts';
import { inDirectory, type Preset, presets } from './preset.ts';
import { send } from './send.ts';
import { labSettings } from './settings.ts';
import { stop } from './stop.ts';
import { showAll } from './terminal.ts';
import { parseLink } from './two-nodes/link.ts';
import { twoNodes } from './two-nodes/two-nodes.ts';
import { up } from './up.ts';

const usage = `usage: npm run lab                       start everything, send a sample, stay up
       npm run lab -- PRESET             another way to attach it: before-queue, milter, single-postfix, lmtp,
                                         or directory: files in a directory instead of Azurite
       npm run lab -- send FILE [TO …]   send a file through the running lab
       npm run lab -- stop               stop the running lab
       npm run lab -- break [WHAT …]     what the promise is worth: kill, storage, next-hop, disk, loop
       npm run lab -- --two-nodes        on two machines with systemd, and a link that can be slow, lossy or cut
options: --bandwidth 10mbit, --loss 1%   of that link
         --directory   with any preset: files in a directory
         --settings NAME   lay a set over the configuration: small-office, university, provider
         --home DIR    another lab: it lives in DIR, on free ports that it keeps
         --once        on free ports: start, send, check, stop; exit 0 when all is well
         --verbose     show everything
`;

const options = {
  once: { type: 'boolean' },
  directory: { type: 'boolean' },
  'two-nodes': { type: 'boolean' },
  bandwidth: { type: 'string' },
  loss: { type: 'string' },
  settings: { type: 'string' },
  home: { type: 'string' },
  verbose: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const [command = 'relayhost', ...rest] = positionals;
  const directory = values.home;
  if (values.verbose) showAll();
  if (values.help) return showUsage(0);
  if (!['send', 'stop'].includes(command)) await removeLeftovers();
  if (values['two-nodes']) return twoNodes({ once: values.once ?? false, link: parseLink(values) });
  if (values.bandwidth !== undefined || values.loss !== undefined) return showUsage(64);
  if (command === 'send' && rest[0] !== undefined) return send(rest[0], { recipients: rest.slice(1), directory });
  if (command === 'stop') return stop(directory);
  if (command === 'break' && rest.every((word) => breakable.includes(word))) return breakThings(rest);
  const chosen: Preset | undefined = presets[command];
  if (chosen === undefined || rest.length > 0) return showUsage(64);
  const preset = values.directory && chosen.storage === 'azurite' ? inDirectory(chosen) : chosen;
  const settings = values.settings === undefined ? undefined : labSettings(values.settings);
  return values.once ? once(preset, settings) : up(preset, { name: command, directory, settings });
}

function showUsage(status: number): number {
  process.stderr.write(usage);
  return status;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Interrupted)) {
    process.stderr.write(`lab: ${error instanceof Error ? error.message : String(error)}\n`);
  }
  process.exitCode = error instanceof Interrupted ? 130 : 1;
}
