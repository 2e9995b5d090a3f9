import { examine } from '../doctor/examine.ts';
import type { Finding } from '../doctor/interface.ts';
import { NeighbourError } from '../doctor/postfix/read-neighbour.ts';
import { becomeOwner } from './become-owner.ts';
import { defineCommand } from './command.ts';
import { CommandError, ExitStatus } from './exit-status.ts';
import { jsonText } from './json.ts';
import { loadChecked } from './load-checked.ts';
import { showWaiting } from './progress.ts';

/** `detach-mta doctor`: runs beside a live service, and changes nothing that stays. */
export const doctor = defineCommand({
  name: 'doctor',
  summary: 'Tries what the configuration names, reads the Postfix servers around it, and says what to correct',
  examples: ['doctor', 'doctor --postfix /etc/postfix', 'doctor --postfix a/postfix --postfix b/postfix --json'],
  options: {
    postfix: {
      type: 'string',
      multiple: true,
      value: 'DIR',
      help: 'folder with main.cf and master.cf of a server that sends us mail or takes it',
    },
    json: { type: 'boolean', help: 'print a JSON list of findings' },
  },
  run: async ({ sources, options, print, signal, errors }) => {
    const config = loadChecked(sources);
    let waitingFor: readonly string[] = [];
    const stop = showWaiting(errors, () => `waiting for: ${waitingFor.join(', ')}`.slice(0, 78));
    const findings = await examine({
      config,
      postfix: options.postfix ?? [],
      signal,
      becomeService: () => becomeOwner(config, sources),
      onWaiting: (names) => (waitingFor = names),
    })
      .catch(withStatus)
      .finally(stop);
    await print(options.json === true ? jsonText(findings, 2) : report(findings));
    return findings.some(({ result }) => result === 'fail') ? ExitStatus.found : ExitStatus.ok;
  },
});

function withStatus(error: unknown): never {
  if (!(error instanceof NeighbourError)) throw error;
  throw new CommandError(error.missing ? ExitStatus.notThere : ExitStatus.data, `--postfix: ${error.message}`);
}

const report = (findings: readonly Finding[]): string =>
  findings
    .map(({ result, check, message, fix }) => {
      const todo = fix === '' ? '' : `. To do: ${fix}`;
      return `${result.padEnd(4)}  ${check}: ${message}${todo}\n`;
    })
    .join('');
