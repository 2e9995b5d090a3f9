import { parseArgs } from 'node:util';
import { once } from './once.ts';
import { inDirectory, milter, relayhost } from './preset.ts';
import { send } from './send.ts';
import { stop } from './stop.ts';
import { twoNodes } from './two-nodes/two-nodes.ts';
import { up } from './up.ts';

const usage = `usage: npm run lab                       start everything, send a sample, stay up
       npm run lab -- milter             the same with one Postfix, and Detach MTA as its Milter
       npm run lab -- send FILE [TO …]   send a file through the running lab
       npm run lab -- stop               stop the running lab
       npm run lab -- --two-nodes        on two hosts (network namespaces) with a cable that is pulled
       npm run lab -- --directory        the same with files in a directory instead of Azurite; also with milter
       npm run lab -- [milter] --once    on free ports: start, send, check, stop; exit 0 when all is well
`;

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: {
      once: { type: 'boolean' },
      directory: { type: 'boolean' },
      'two-nodes': { type: 'boolean' },
      help: { type: 'boolean' },
    },
    allowPositionals: true,
  });
  const [command, ...rest] = positionals;
  const plain = command === undefined ? relayhost : command === 'milter' ? milter : undefined;
  const preset = plain && values.directory ? inDirectory(plain) : plain;
  if (values.once && preset) return once(preset);
  if (values['two-nodes']) return twoNodes();
  if (preset && !values.help) return up(preset);
  if (command === 'send' && rest[0] !== undefined) return send(rest[0], rest.slice(1));
  if (command === 'stop') return stop();
  process.stderr.write(usage);
  return values.help ? 0 : 64;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`lab: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
