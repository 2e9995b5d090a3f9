import { type Metric, ours, oursOnBoth } from './measure/figure.ts';
import { unavoidable } from './workloads/unavoidable.ts';
import { acceptOnly } from './peers/milters.ts';
import { smallThroughMilter } from './workloads/milter.ts';
import type { Results } from './report/results.ts';

/** A promise about the figures of one run: `value` is undefined when its workload was not run. */
export interface Verdict {
  readonly target: string;
  readonly value: number | undefined;
  readonly limit: number;
  /** Whether `limit` is the lowest or the highest accepted value. */
  readonly bound: 'at least' | 'at most';
  readonly unit: string;
}

export function met({ value, limit, bound }: Verdict): boolean | undefined {
  if (value === undefined) return undefined;
  return bound === 'at least' ? value >= limit : value <= limit;
}

export const judge = (results: Results): Verdict[] => [
  ...smallMail(results),
  ...detached(results),
  ...behindPostfix(results),
  ...asMilter(results),
  ...memory(results),
  ...latency(results),
];

const kept = '10 sessions, 1 recipient, kept open';
const fresh = '10 sessions, 1 recipient, new session each';
const big = '25 MiB, 1 parallel';
const middle = '5 MiB, 1 parallel';
const forwarder = 'smtp-server + nodemailer';
const mimeDefang = 'Postfix + MIMEDefang';

interface Target {
  readonly value: number | undefined;
  readonly limit: number;
  readonly unit?: string;
}

const least = (target: string, { value, limit, unit = '×' }: Target): Verdict => ({
  target,
  value,
  limit,
  bound: 'at least',
  unit,
});

const most = (target: string, { value, limit, unit = '×' }: Target): Verdict => ({
  target,
  value,
  limit,
  bound: 'at most',
  unit,
});

interface Wanted {
  readonly work: string;
  readonly situation: string;
  readonly metric: Metric;
  readonly peer?: string;
}

const medianOf = (results: Results, { peer = ours, ...wanted }: Wanted): number | undefined =>
  results.median({ ...wanted, peer });

const ratio = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? undefined : a / b;

const difference = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? undefined : a - b;

/** Our figure, divided by that of another program in the same situation. */
const beside = (results: Results, wanted: Wanted & { readonly peer: string }): number | undefined =>
  ratio(medianOf(results, { ...wanted, peer: ours }), medianOf(results, wanted));

function smallMail(results: Results): Verdict[] {
  const rateOf = (situation: string, peer: string): number | undefined =>
    medianOf(results, { work: 'small', situation, metric: 'messages/s', peer });
  /** The better of one process and two: an operator can choose too. */
  const rate = (situation: string): number | undefined => {
    const rates = [ours, oursOnBoth].map((peer) => rateOf(situation, peer)).filter((value) => value !== undefined);
    return rates.length === 0 ? undefined : Math.max(...rates);
  };
  const cpu = (peer: string): number | undefined =>
    medianOf(results, { work: 'small', situation: kept, metric: 'CPU s/1000 messages', peer });
  return [
    least('small mail, kept open: messages/s beside Postfix', {
      value: ratio(rate(kept), rateOf(kept, 'Postfix')),
      limit: 4,
    }),
    least('small mail, kept open: messages per CPU second beside Haraka', {
      value: ratio(cpu('Haraka'), cpu(ours)),
      limit: 5,
    }),
    least('small mail, kept open: messages/s beside the forwarder', {
      value: ratio(rate(kept), rateOf(kept, forwarder)),
      limit: 2,
    }),
    least('small mail, new sessions: messages/s beside the forwarder', {
      value: ratio(rate(fresh), rateOf(fresh, forwarder)),
      limit: 10,
    }),
  ];
}

function detached(results: Results): Verdict[] {
  const work = { work: 'detaching', situation: big, peer: unavoidable };
  return [
    least('25 MiB detached: speed beside the unavoidable parts', {
      value: beside(results, { ...work, metric: 'MB/s' }),
      limit: 0.6,
    }),
    most('25 MiB detached: CPU per GB beside the unavoidable parts', {
      value: beside(results, { ...work, metric: 'CPU s/GB' }),
      limit: 1.5,
    }),
  ];
}

function behindPostfix(results: Results): Verdict[] {
  const work = { work: 'chain', peer: mimeDefang };
  return [
    most('25 MiB behind Postfix: CPU per GB added, beside MIMEDefang', {
      value: beside(results, { ...work, situation: big, metric: 'added CPU s/GB' }),
      limit: 1 / 3,
    }),
    least('5 MiB behind Postfix: speed beside MIMEDefang', {
      value: beside(results, { ...work, situation: middle, metric: 'MB/s' }),
      limit: 2,
    }),
  ];
}

function asMilter(results: Results): Verdict[] {
  const work = { work: 'milter', peer: mimeDefang };
  return [
    least('as a Milter, 5 MiB: speed beside MIMEDefang', {
      value: beside(results, { ...work, situation: middle, metric: 'MB/s' }),
      limit: 2.5,
    }),
    most('as a Milter, 25 MiB: CPU per GB added, beside MIMEDefang', {
      value: beside(results, { ...work, situation: big, metric: 'added CPU s/GB' }),
      limit: 0.3,
    }),
    least('as a Milter, small mail: messages/s beside a Milter that only accepts', {
      value: beside(results, {
        work: 'milter',
        situation: smallThroughMilter,
        metric: 'messages/s',
        peer: acceptOnly,
      }),
      limit: 0.9,
    }),
  ];
}

function memory(results: Results): Verdict[] {
  const peak = (situation: string): number | undefined =>
    medianOf(results, { work: 'memory', situation, metric: 'peak MB' });
  const of20 = difference(peak('25 MiB, 20 parallel'), peak(big));
  return [
    most('memory: 1 GB more than 25 MiB', {
      value: difference(peak('1000 MiB, 1 parallel'), peak(big)),
      limit: 16,
      unit: 'MB',
    }),
    most('memory: each of 20 parallel messages of 25 MiB', {
      value: of20 === undefined ? undefined : of20 / 19,
      limit: 1.5,
      unit: 'MB',
    }),
  ];
}

function latency(results: Results): Verdict[] {
  const added = (metric: Metric): number | undefined =>
    medianOf(results, { work: 'latency', situation: 'next hop smtp-sink', metric });
  const grown = results.all('growth', 'growth');
  return [
    most('latency added: p50', { value: added('added p50 ms'), limit: 1.5, unit: 'ms' }),
    most('latency added: p99', { value: added('added p99 ms'), limit: 8, unit: 'ms' }),
    most('ten times as much of anything: CPU time', {
      value: grown.length === 0 ? undefined : Math.max(...grown),
      limit: 12,
    }),
  ];
}
