/** Values of Postfix parameters as numbers. */
import type { Neighbour } from './neighbour.ts';
import type { Route } from './routes.ts';
import type { Service } from './service.ts';

type Get = (parameter: string) => string;

/** undefined for what is no number. */
export function numberOf(value: string): number | undefined {
  return /^\d+$/.test(value) ? Number(value) : undefined;
}

/** `message_size_limit` in bytes; Postfix's 0 means no limit. */
export function sizeLimitOf({ get }: Neighbour): number {
  const bytes = numberOf(get('message_size_limit')) ?? 0;
  return bytes === 0 ? Infinity : bytes;
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** Seconds of `300s`, `5m`, `300`. */
export function secondsOf(value: string): number | undefined {
  const [, digits, unit = 's'] = /^(\d+)([smhdw])?$/.exec(value) ?? [];
  return digits === undefined ? undefined : Number(digits) * unitSeconds[unit]!;
}

/** Entries of a list between commas and blanks. */
export const entriesOf = (value: string): readonly string[] => value.split(/[\s,]+/).filter((entry) => entry !== '');

/** The program that carries mail along this way. */
const carrierOf = ({ services }: Neighbour, { transport }: Route): Service | undefined =>
  services.find(({ name, type }) => name === transport && type === 'unix');

/** What the program of a way works with: its own `-o`, else main.cf. */
export function carrierValue(neighbour: Neighbour, route: Route): Get {
  return carrierOf(neighbour, route)?.get ?? neighbour.get;
}

/** `smtp_…` or `lmtp_…`, as the program of the way is. */
export const carrierPrefix = (neighbour: Neighbour, route: Route): 'smtp' | 'lmtp' =>
  carrierOf(neighbour, route)?.program === 'lmtp' || route.transport === 'lmtp' ? 'lmtp' : 'smtp';

/** `<transport>_destination_<what>`, or the default of all transports. */
export function destinationLimit(
  what: 'concurrency_limit' | 'recipient_limit',
  { neighbour: { get }, route }: { readonly neighbour: Neighbour; readonly route: Route },
): { readonly name: string; readonly value: number | undefined } {
  const name = `${route.transport ?? 'smtp'}_destination_${what}`;
  const own = get(name);
  return { name, value: numberOf(own === '' ? get(`default_destination_${what}`) : own) };
}

/** Queued mail goes along it, through a program of its own. */
export const isQueued = ({ kind }: Route): boolean => kind === 'relayhost' || kind === 'content_filter';

/** How a place is named to the operator. */
export const nameOf = (service: Service): string => `${service.name} in master.cf`;
