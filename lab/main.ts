import { errorText } from '../src/smtp/failures.ts';
import { removeLeftovers } from '../test/harness/machine/leftovers.ts';
import { breakable, breakThings } from './break/break.ts';
import { asTyped, readCommandLine, WrongUse } from './command-line.ts';
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

async function main(args: readonly string[]): Promise<number> {
  const { command, rest, values } = readCommandLine(args);
  const directory = values.home;
  if (values.verbose) showAll();
  if (values.help) return showUsage(0);
  if (command === 'send' && rest[0] !== undefined)
    return send(asTyped(rest[0]), { recipients: rest.slice(1), directory });
  if (command === 'stop' && rest.length === 0) return stop(directory);
  await removeLeftovers();
  if (command === 'break' && rest.every((word) => breakable.includes(word))) return breakThings(rest);
  if (command === 'two-nodes' && rest.length === 0) {
    return twoNodes({ once: values.once ?? false, link: parseLink(values) });
  }
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

/** Of an error, said where it says something. */
function statusOf(error: unknown): number {
  if (error instanceof Interrupted) return 130;
  process.stderr.write(`lab: ${errorText(error)}\n`);
  if (!(error instanceof WrongUse)) return 1;
  process.stderr.write('npm run lab -- --help tells what there is\n');
  return 64;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = statusOf(error);
}
