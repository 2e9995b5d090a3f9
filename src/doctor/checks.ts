import type { Check } from './interface.ts';
import { complaints } from './neighbours/complaints.ts';
import { concurrency } from './neighbours/concurrency.ts';
import { connectionCache } from './neighbours/connection-cache.ts';
import { dkim } from './neighbours/dkim.ts';
import { milter } from './neighbours/milter.ts';
import { names } from './neighbours/names.ts';
import { recipients } from './neighbours/recipients.ts';
import { reinjection } from './neighbours/reinjection.ts';
import { relaying } from './neighbours/relaying.ts';
import { size } from './neighbours/size.ts';
import { timeouts } from './neighbours/timeouts.ts';
import { tls } from './neighbours/tls.ts';
import { trust } from './neighbours/trust.ts';
import { wayIn } from './neighbours/way-in.ts';
import { xforward } from './neighbours/xforward.ts';
import { clock } from './own/clock.ts';
import { directory } from './own/directory.ts';
import { keys } from './own/keys.ts';
import { nextHops } from './own/next-hops.ts';
import { ports } from './own/ports.ts';
import { publicUrl } from './own/public-url.ts';
import { redirect } from './own/redirect.ts';
import { spool } from './own/spool.ts';
import { storage } from './own/storage.ts';
import { versions } from './own/versions.ts';

/** What is tried of ourselves. */
export const ownChecks: readonly Check[] = [
  versions,
  keys,
  ports,
  spool,
  directory,
  storage,
  clock,
  redirect,
  publicUrl,
  nextHops,
];

/** What is read in main.cf and master.cf of the neighbours. */
export const neighbourChecks: readonly Check[] = [
  complaints,
  wayIn,
  reinjection,
  trust,
  names,
  size,
  timeouts,
  concurrency,
  connectionCache,
  recipients,
  tls,
  xforward,
  milter,
  dkim,
  relaying,
];
