import { ConfigError } from '../config/config-error.ts';
import { loadConfig, type ConfigSources } from '../config/load-config.ts';
import { Failure } from '../smtp/failures.ts';
import { sweep } from '../storage/sweep.ts';

/** sysexits.h: the configuration is wrong; storage cannot be reached. */
const EX_CONFIG = 78;
const EX_UNAVAILABLE = 69;

/**
 * `detach-mta sweep --config FILE`: deletes what nobody can ask for any more, and says how much that was. May run
 * beside any number of relays, from cron on one of them.
 */
export async function runSweep(sources: ConfigSources): Promise<number> {
  try {
    const { storage } = loadConfig(sources);
    const swept = await sweep({ storage, signal: new AbortController().signal, now: Date.now() });
    process.stdout.write(
      `swept ${swept.files} files (${swept.bytes} bytes), ${swept.messages} manifests, ${swept.links} links\n`,
    );
    return 0;
  } catch (error) {
    if (error instanceof ConfigError) {
      for (const line of error.lines) process.stderr.write(`detach-mta sweep: ${line}\n`);
      return EX_CONFIG;
    }
    if (error instanceof Failure) {
      process.stderr.write(`detach-mta sweep: ${error.message}\n`);
      return EX_UNAVAILABLE;
    }
    throw error;
  }
}
