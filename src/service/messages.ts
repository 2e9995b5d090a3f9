/**
 * What the supervisor and its processes say to each other, over the channel that Node opens to a child process. The
 * configuration goes this way too, so that no secret stands in a child's environment or arguments.
 */
import type { MetricObjectWithValues, MetricValue } from 'prom-client';
import type { Config } from '../config/config.ts';
import type { CallQuestion } from '../loopguard/open-calls.ts';

export type Role = 'mail' | 'links';

export interface ListenAddress {
  readonly address: string;
  readonly port: number;
}

/** The figures of one process, as prom-client exports them. */
export type Figures = readonly MetricObjectWithValues<MetricValue<string>>[];

/** The first message to a process; the listening socket comes with it. */
export interface StartOrder {
  readonly kind: 'start';
  readonly role: Role;
  readonly config: Config;
  /** Where the socket that comes with the order is bound. */
  readonly listener: ListenAddress;
}

export interface StopOrder {
  readonly kind: 'stop';
  /** What is still under way then is cut, in ms from now. */
  readonly withinMs: number;
  /** Clients that have been idle only for a moment are left alone, because a new generation has taken over. */
  readonly gently: boolean;
}

/** What a mail process may ask all others; the first `true` wins. */
export type Question = CallQuestion;

/** A request for a part of a limit that holds for the whole service. */
export interface LeaseRequest {
  readonly kind: 'lease';
  readonly id: number;
  readonly key: LimitKey;
  /** Less than this is of no use. */
  readonly need: number;
  /** As much as this is welcome. */
  readonly want: number;
  /** Waits until there is some, instead of being refused. */
  readonly patient: boolean;
}

export type LimitName = 'clients' | 'clientsPerAddress' | 'connections' | 'spool' | 'spoolPerClient';

/** A limit, and what it is counted for where each key has a count of its own. */
export interface LimitKey {
  readonly limit: LimitName;
  readonly of?: string;
}

export type ToProcess =
  | StartOrder
  | StopOrder
  | { readonly kind: 'figures'; readonly id: number }
  | { readonly kind: 'probe'; readonly id: number }
  | { readonly kind: 'question'; readonly id: number; readonly question: Question }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: boolean }
  /** 0: refused. */
  | { readonly kind: 'leased'; readonly id: number; readonly amount: number }
  /** Give back what is unused, or `amount` of it when it becomes free; `owed`: even though it is needed here too. */
  | {
      readonly kind: 'recall';
      readonly id: number;
      readonly key: LimitKey;
      readonly amount: number;
      readonly owed: boolean;
    };

export type ToSupervisor =
  | { readonly kind: 'ready'; readonly notReady: readonly string[] }
  | { readonly kind: 'failed'; readonly status: number; readonly error: FailedStart }
  | { readonly kind: 'figures'; readonly id: number | undefined; readonly figures: Figures }
  | { readonly kind: 'probed'; readonly id: number; readonly missing: readonly string[] }
  | { readonly kind: 'ask'; readonly id: number; readonly question: Question }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: boolean }
  | LeaseRequest
  | { readonly kind: 'withdraw'; readonly id: number }
  | { readonly kind: 'unlease'; readonly key: LimitKey; readonly amount: number }
  | { readonly kind: 'recalled'; readonly id: number; readonly key: LimitKey; readonly amount: number };

/** Why a process did not start. */
export interface FailedStart {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
}
