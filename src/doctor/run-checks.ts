import type { Config } from '../config/config.ts';
import { mask } from '../config/secrets.ts';
import { errorText } from '../smtp/failures.ts';
import { squeezedOnOneLine } from '../smtp/one-line.ts';
import type { Finding, Found } from './finding.ts';
import type { Check, Context } from './interface.ts';

/** No check may take longer, whatever the other end does. */
const checkMs = 45_000;

/**
 * Runs all checks at the same time and gives what they found, in their order.
 * A check that throws, or does not end, is a finding of its own.
 */
export async function runChecks(
  checks: readonly Check[],
  context: Context,
  {
    signal,
    timeoutMs = checkMs,
    onDone = () => undefined,
  }: {
    readonly signal: AbortSignal;
    readonly timeoutMs?: number;
    /** Called with the name of each check when it has ended. */
    readonly onDone?: (name: string) => void;
  },
): Promise<readonly Finding[]> {
  const hide = hiding(context.config);
  const found = await Promise.all(
    checks.map((check) => runOne(check, context, { signal, timeoutMs }).finally(() => onDone(check.name))),
  );
  return checks.flatMap(({ name }, i) =>
    found[i]!.map(({ result, message, fix }) => ({
      check: name,
      result,
      message: hide(oneLine(message)),
      fix: hide(oneLine(fix)),
    })),
  );
}

async function runOne(
  { run }: Check,
  context: Context,
  { signal, timeoutMs }: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<readonly Found[]> {
  const late = new AbortController();
  const within = AbortSignal.any([signal, late.signal]);
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<readonly Found[]>((resolve) => {
    timer = setTimeout(() => {
      late.abort();
      resolve([
        {
          result: 'fail',
          message: `no end within ${timeoutMs / 1000} s`,
          fix: 'what this check asks does not answer: look at it',
        },
      ]);
    }, timeoutMs);
  });
  try {
    return await Promise.race([Promise.resolve().then(() => run(context, within)), over]);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const message = errorText(error);
    return [{ result: 'fail', message, fix: 'this was not expected: please report it' }];
  } finally {
    clearTimeout(timer);
  }
}

/** Bytes of a message: what a server answers may be long. */
const maxMessage = 500;

/** What a server has said must not be able to look like another finding, or to command a terminal. */
function oneLine(text: string): string {
  const line = squeezedOnOneLine(text);
  return line.length <= maxMessage ? line : `${line.slice(0, maxMessage)}…`;
}

/** A server may repeat in its answer what it was told. */
function hiding({ outbound, storage, links, loopguard }: Config): (text: string) => string {
  const keyed = [...links.secret, ...loopguard.keys.map(({ secret }) => secret)];
  const { pass } = outbound.auth;
  const texts = [
    ...(pass === undefined ? [] : [pass, Buffer.from(pass).toString('base64')]),
    ...keyed.flatMap((secret) => [secret.toString('base64'), secret.toString('base64url')]),
    ...secretsIn(storage.connectionString ?? ''),
  ];
  const secrets = texts.filter((secret) => secret.length > 0).sort((a, b) => b.length - a.length);
  return (text) => secrets.reduce((hidden, secret) => hidden.replaceAll(secret, mask), text);
}

const secretsIn = (connectionString: string): readonly string[] =>
  [...connectionString.matchAll(/(?:AccountKey|SharedAccessSignature)=([^;]+)/g)].map(([, value = '']) => value);
