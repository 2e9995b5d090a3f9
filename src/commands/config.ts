import { stringify } from 'yaml';
import { ConfigError } from '../config/config-error.ts';
import { describeConfig } from '../config/describe-config.ts';
import { type ConfigSources, loadConfig } from '../config/load-config.ts';
import { createNotice } from '../links/notice.ts';
import { TemplateError } from '../links/notice/template-error.ts';

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
    const config = loadConfig({ file, env });
    // Only the room of the links knows what a template may contain.
    createNotice(config.links);
    // Tools that still read YAML 1.1 would take a bare `off` for a boolean.
    stdout(stringify(describeConfig(config), { lineWidth: 0, compat: 'yaml-1.1' }));
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigError) && !(error instanceof TemplateError)) throw error;
    stderr(`${error.message}\n`);
    return EX_CONFIG;
  }
}
