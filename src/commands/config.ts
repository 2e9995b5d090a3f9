import { stringify } from 'yaml';
import { describeConfig } from '../config/describe-config.ts';
import { defineCommand } from './command.ts';
import { ExitStatus } from './exit-status.ts';
import { loadChecked } from './load-checked.ts';

/** `detach-mta config`: prints the effective values as YAML with secrets masked, or one line per error. */
export const config = defineCommand({
  name: 'config',
  summary: 'Checks the configuration and prints the effective values, with secrets masked',
  options: { quiet: { type: 'boolean', help: 'print nothing but errors' } },
  run: async ({ sources, options, print }) => {
    const values = loadChecked(sources);
    if (options.quiet) return ExitStatus.ok;
    // Tools that still read YAML 1.1 would take a bare `off` for a boolean.
    await print(stringify(describeConfig(values), { lineWidth: 0, compat: 'yaml-1.1' }));
    return ExitStatus.ok;
  },
});
