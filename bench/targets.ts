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

const kept = '10 sessions, 1 recipient, kept open';
const fresh = '10 sessions, 1 recipient, new session each';
const forwarder = 'smtp-server + nodemailer';
const mimeDefang = 'Postfix + MIMEDefang';

export function judge(results: Results): Verdict[] {
  const of = (work: string, situation: string, ...[metric, peer = ours]: [Metric, string?]): number | undefined =>
    results.median({ work, situation, peer, metric });
  const ratio = (a: number | undefined, b: number | undefined): number | undefined =>
    a === undefined || b === undefined ? undefined : a / b;
  const least = (target: string, value: number | undefined, ...[limit, unit = '×']: [number, string?]): Verdict => ({
    target,
    value,
    limit,
    bound: 'at least',
    unit,
  });
  const most = (target: string, value: number | undefined, ...[limit, unit = '×']: [number, string?]): Verdict => ({
    target,
    value,
    limit,
    bound: 'at most',
    unit,
  });
  /** The better of one process and two: an operator can choose too. */
  const rate = (situation: string): number | undefined => {
    const rates = [ours, oursOnBoth].map((peer) => rateOf(situation, peer)).filter((value) => value !== undefined);
    return rates.length === 0 ? undefined : Math.max(...rates);
  };
  const rateOf = (situation: string, peer: string): number | undefined => of('small', situation, 'messages/s', peer);
  const cpu = (situation: string, peer?: string): number | undefined =>
    of('small', situation, 'CPU s/1000 messages', peer);
  const big = '25 MiB, 1 parallel';
  const peak = (situation: string): number | undefined => of('memory', situation, 'peak MB');
  const difference = (a: number | undefined, b: number | undefined): number | undefined =>
    a === undefined || b === undefined ? undefined : a - b;
  const perMessage = difference(peak('25 MiB, 20 parallel'), peak(big));
  const grown = results.all('growth', 'growth');
  return [
    least('small mail, kept open: messages/s beside Postfix', ratio(rate(kept), rateOf(kept, 'Postfix')), 4),
    least('small mail, kept open: messages per CPU second beside Haraka', ratio(cpu(kept, 'Haraka'), cpu(kept)), 5),
    least('small mail, kept open: messages/s beside the forwarder', ratio(rate(kept), rateOf(kept, forwarder)), 2),
    least(
      'small mail, new sessions: messages/s beside the forwarder',
      ratio(rate(fresh), rateOf(fresh, forwarder)),
      10,
    ),
    least(
      '25 MiB detached: speed beside the unavoidable parts',
      ratio(of('detaching', big, 'MB/s'), of('detaching', big, 'MB/s', unavoidable)),
      0.6,
    ),
    most(
      '25 MiB detached: CPU per GB beside the unavoidable parts',
      ratio(of('detaching', big, 'CPU s/GB'), of('detaching', big, 'CPU s/GB', unavoidable)),
      1.5,
    ),
    most(
      '25 MiB behind Postfix: CPU per GB added, beside MIMEDefang',
      ratio(of('chain', big, 'added CPU s/GB'), of('chain', big, 'added CPU s/GB', mimeDefang)),
      1 / 3,
    ),
    least(
      '5 MiB behind Postfix: speed beside MIMEDefang',
      ratio(of('chain', '5 MiB, 1 parallel', 'MB/s'), of('chain', '5 MiB, 1 parallel', 'MB/s', mimeDefang)),
      2,
    ),
    least(
      'as a Milter, 5 MiB: speed beside MIMEDefang',
      ratio(of('milter', '5 MiB, 1 parallel', 'MB/s'), of('milter', '5 MiB, 1 parallel', 'MB/s', mimeDefang)),
      2.5,
    ),
    most(
      'as a Milter, 25 MiB: CPU per GB added, beside MIMEDefang',
      ratio(of('milter', big, 'added CPU s/GB'), of('milter', big, 'added CPU s/GB', mimeDefang)),
      0.3,
    ),
    least(
      'as a Milter, small mail: messages/s beside a Milter that only accepts',
      ratio(of('milter', smallThroughMilter, 'messages/s'), of('milter', smallThroughMilter, 'messages/s', acceptOnly)),
      0.9,
    ),
    most('memory: 1 GB more than 25 MiB', difference(peak('1000 MiB, 1 parallel'), peak(big)), 16, 'MB'),
    most(
      'memory: each of 20 parallel messages of 25 MiB',
      perMessage === undefined ? undefined : perMessage / 19,
      1.5,
      'MB',
    ),
    most('latency added: p50', of('latency', 'next hop smtp-sink', 'added p50 ms'), 1.5, 'ms'),
    most('latency added: p99', of('latency', 'next hop smtp-sink', 'added p99 ms'), 8, 'ms'),
    most('ten times as much of anything: CPU time', grown.length === 0 ? undefined : Math.max(...grown), 12),
  ];
}
