/** The path of one recipient's copy, newest step first; paths that divide share their first steps. */
export interface Journey {
  readonly step: Step;
  readonly before: Journey | undefined;
}

export type Step =
  /** `address`: whom the message was sent to at first. */
  | { readonly kind: 'start'; readonly address: number }
  | { readonly kind: 'server'; readonly server: number; readonly address: number }
  /**
   * `company`: how many recipients the stamp of this pass names; `tolerated`: the copy loops, but passes a Milter
   * because of recipients that do not loop.
   */
  | {
      readonly kind: 'pass';
      readonly cluster: number;
      readonly address: number;
      readonly reversePath: number | undefined;
      readonly company: number;
      readonly tolerated?: boolean;
    }
  /** The stamps so far are gone, or no longer belong to this message. */
  | { readonly kind: 'blinded' };

export const start = (address: number): Journey => ({ step: { kind: 'start', address }, before: undefined });

export const onward = (before: Journey, step: Step): Journey => ({ step, before });

export function* steps(journey: Journey): Iterable<Step> {
  for (let at: Journey | undefined = journey; at; at = at.before) yield at.step;
}

export function* passes(journey: Journey, cluster: number): Iterable<Extract<Step, { kind: 'pass' }>> {
  for (const step of steps(journey)) if (step.kind === 'pass' && step.cluster === cluster) yield step;
}
