import { stringify } from 'yaml';
import { ConfigError } from '../config/config-error.ts';
import { describeConfig } from '../config/describe-config.ts';
import { type ConfigSources, loadConfig } from '../config/load-config.ts';

/** Exit status of sysexits.h: wrong configuration. */
const EX_CONFIG = 78;

export interface ConfigCommandOptions extends ConfigSources {
  readonly stdout?: (text: string) => void;
  readonly stderr?: (text: string) => void;
}

/**
 * `detach-mta config --config FILE`: prints the effective values as YAML with secrets masked, or one line per error.
 * @returns the exit status: 0, or 78 when the configuration is wrong
 */
export function runConfig(options: ConfigCommandOptions): Promise<number> {
  return Promise.resolve().then(() => run(options));
}

function run({
  file,
  env,
  stdout = (text) => process.stdout.write(text),
  stderr = (text) => process.stderr.write(text),
}: ConfigCommandOptions): number {
  try {
    // Tools that still read YAML 1.1 would take a bare `off` for a boolean.
    stdout(stringify(describeConfig(loadConfig({ file, env })), { lineWidth: 0, compat: 'yaml-1.1' }));
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    stderr(`${error.lines.join('\n')}\n`);
    return EX_CONFIG;
  }
}
