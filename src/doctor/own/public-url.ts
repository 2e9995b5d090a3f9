import { openBlobs } from '../../storage/store.ts';
import { addressesOf } from '../postfix/our-door.ts';
import { parseAddress } from '../../smtp/networks.ts';
import { errorText, Failure } from '../../smtp/failures.ts';
import { fail, type Found, ok, warn } from '../finding.ts';
import type { Check, Context, Step } from '../interface.ts';
import { buffering } from './buffering.ts';
import { datesOf } from './certificate.ts';
import { type Certificate, type Got, getUrl } from './get-url.ts';
import { isService } from './ports.ts';
import { download } from './public-download.ts';
import { withTrialBlob } from './trial-blob.ts';
import { trialName, withTrialLink } from './trial-link.ts';

/** Opens a link as a reader would, through whatever stands in front. */
export const publicUrl: Check = {
  name: 'public-url',
  run: async (context, signal) => {
    const url = new URL(context.config.links.baseUrl);
    const addresses = await addressesOf(url.hostname.replace(/^\[|\]$/g, ''));
    if (addresses.length === 0)
      return [
        fail(
          `links.baseUrl: ${url.hostname} cannot be resolved: no link works`,
          'add the name to DNS, or correct links.baseUrl',
        ),
      ];
    return [...inClear(url, addresses), ...(await open({ context, signal }))];
  },
};

/** A warning where readers come over a network that others can read. */
export function inClear(url: URL, addresses: readonly string[]): readonly Found[] {
  const isPublic = addresses.some((address) => parseAddress(address)?.range() === 'unicast');
  return url.protocol === 'http:' && isPublic
    ? [
        warn(
          `links.baseUrl is http:// on a public address: who listens on the way reads links and files`,
          'put a web server with a certificate in front, and set links.baseUrl to https://',
        ),
      ]
    : [];
}

async function open(step: Step): Promise<readonly Found[]> {
  const { context, signal } = step;
  const blobs = openBlobs(context.config);
  try {
    return await withTrialBlob({ blobs, signal }, (trial) =>
      withTrialLink(trial, async (token) => {
        const at = new URL(`${context.config.links.baseUrl}/${token}`);
        const page = await look(at, step);
        if (page.some(({ result }) => result === 'fail') || !page.some(({ message }) => message.includes(answers)))
          return page;
        const rest = await download({ ...step, at, bytes: trial.bytes });
        return [...page, ...rest, ...(await buffering(blobs, step))];
      }),
    );
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [warn(`links.baseUrl was not tried: ${error.message}`, 'correct what the check "storage" says first')];
  }
}

const answers = 'shows our pages';

async function look(at: URL, { context, signal }: Step): Promise<readonly Found[]> {
  let got: Got;
  try {
    got = await getUrl(at, { signal });
  } catch (error) {
    return [nothingThere(errorText(error), context)];
  }
  return [...certificate(got, context), judge(got, context), ...pageHeaders(got)];
}

function nothingThere(reason: string, context: Context): Found {
  const { baseUrl } = context.config.links;
  if (!isRunning(context))
    return warn(
      `links.baseUrl: ${baseUrl} does not answer (${reason}): the service does not run`,
      'start the service, and run doctor again',
    );
  return fail(
    `links.baseUrl: ${baseUrl} does not answer (${reason}): no link works`,
    'look at the web server in front and at the firewall; links.address and links.port are where it finds us',
  );
}

function isRunning({ config: { links }, listening }: Context): boolean {
  return listening.some((each) => each.port === links.port && isService(each));
}

function certificate({ certificate }: Got, { config: { links }, now }: Context): readonly Found[] {
  if (!certificate) return [];
  const { hostname } = new URL(links.baseUrl);
  const dates = datesOf(certificate, { where: hostname, now: now() });
  // Nothing else matters of one that is over.
  if (dates?.result === 'fail') return [dates];
  return [...(dates ? [dates] : []), trust(certificate, hostname)];
}

function trust({ problem }: Certificate, hostname: string): Found {
  return problem === undefined
    ? ok(`the certificate of ${hostname} is trusted`)
    : fail(
        `browsers do not trust the certificate of ${hostname}: ${problem}`,
        'give the web server in front the whole chain of a certificate for this name',
      );
}

function judge({ status, headers, body }: Got, context: Context): Found {
  const { baseUrl } = context.config.links;
  if (status === 200 && body.includes(trialName)) return ok(`${baseUrl} ${answers}`);
  if (!isRunning(context) && status >= 500)
    return warn(`${baseUrl} answers ${status}: the service does not run`, 'start the service, and run doctor again');
  const to = status >= 300 && status < 400 ? ` to ${originOf(headers.location)}` : '';
  return fail(
    `${baseUrl} answers something else: ${status}${to} to a link that is there`,
    to === ''
      ? 'the web server in front must pass the path on to links.address and links.port; replicas must share storage and links.secret'
      : 'set links.baseUrl to where it leads, or let the web server in front pass the path on to us',
  );
}

/** The path holds the token of the link. */
function originOf(location: string | undefined): string {
  return location !== undefined && URL.canParse(location) ? new URL(location).origin : 'another place';
}

/** What protects readers must arrive. */
function pageHeaders({ status, headers }: Got): readonly Found[] {
  if (status !== 200) return [];
  const missing = ['content-security-policy', 'x-content-type-options', 'referrer-policy'].filter(
    (name) => !(name in headers),
  );
  const stored = headers['cache-control']?.includes('no-store') !== true ? ['cache-control: no-store'] : [];
  const all = [...missing, ...stored];
  return all.length === 0
    ? []
    : [
        warn(
          `the web server in front strips or changes ${all.join(', ')} of pages`,
          'let it pass our headers on as they are',
        ),
      ];
}
