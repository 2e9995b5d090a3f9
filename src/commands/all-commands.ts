import type { Command } from './command.ts';
import { config } from './config.ts';
import { doctor } from './doctor.ts';
import { explain } from './explain.ts';
import { linksList } from './links-list.ts';
import { linksExtend, linksHold, linksRelease, linksRevoke, linksUnrevoke } from './links-change.ts';
import { linksErase } from './links-erase.ts';
import { linksShow } from './links-show.ts';
import { restore } from './restore.ts';
import { serve } from './serve.ts';
import { stats } from './stats.ts';
import { sweep } from './sweep.ts';

/** In the order of `--help`. A name of two words makes a group: `links list`. */
export const commands: readonly Command[] = [
  serve,
  config,
  doctor,
  explain,
  restore,
  linksList,
  linksShow,
  linksRevoke,
  linksUnrevoke,
  linksExtend,
  linksHold,
  linksRelease,
  linksErase,
  stats,
  sweep,
];
