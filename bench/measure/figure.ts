/** What is measured, and in which unit. More is better only for rates. */
export type Metric =
  | 'messages/s'
  | 'MB/s'
  | 'CPU s/1000 messages'
  | 'CPU s/GB'
  | 'added CPU s/GB'
  | 'p50 ms'
  | 'p99 ms'
  | 'added p50 ms'
  | 'added p99 ms'
  | 'peak MB'
  | 'MB stored'
  | 'MB sent'
  | 'ms'
  | 's'
  | 'sessions per 100 messages'
  | 'mailboxes: GB a year'
  | 'stored: GB a year'
  | 'saved %'
  | 'recipients with a link %'
  | 'growth';

/** One measurement of one round. */
export interface Figure {
  /** The workload, as in `small` or `attachments`. */
  readonly work: string;
  /** A case of the workload, as in `10 sessions, 1 recipient, kept open`. */
  readonly situation: string;
  /** Program that was measured: `detach-mta` or one of its peers. */
  readonly peer: string;
  readonly metric: Metric;
  readonly value: number;
}

export const ours = 'detach-mta';
/** One worker for each of the two processors of the machine for which the targets are set. */
export const oursOnBoth = `${ours}, 2 workers`;

export function rate(metric: Metric): boolean {
  return metric === 'messages/s' || metric === 'MB/s';
}
