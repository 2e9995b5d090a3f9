import type { Config } from '../config/config.ts';
import { loadConfig, type ConfigSources } from '../config/load-config.ts';
import { createNotice } from '../links/notice.ts';
import { createFrame } from '../links/page/create-frame.ts';

/**
 * The configuration, with the operator's templates and logo tried: only the room of the links knows what they may
 * contain.
 * @throws ConfigError, TemplateError
 */
export function loadChecked(sources: ConfigSources): Config {
  const values = loadConfig(sources);
  createNotice(values.links);
  createFrame(values.links);
  return values;
}
