import fc from 'fast-check';
import { enumerate, enumerateWithMilter } from './enumeration.ts';
import { steps } from './journey.ts';
import type { Network } from './network.ts';
import { check } from './properties.ts';
import { networks as anyNetworks } from './random.ts';

/** What a search found. A network that breaks a rule ends the search with an error that shows the network. */
export interface Findings {
  networks: number;
  /** Networks in which something was refused as a loop by the guard. */
  guarded: number;
  /** Networks without a loop in which an address was refused because it had passed more often than allowed. */
  needless: number;
  /** The most servers and filters that one copy went through, and the most times it passed one cluster. */
  longestJourney: number;
  mostPasses: number;
  /** The most transactions between servers for one message and the reports on it. */
  mostTransactions: number;
}

export function searchRandom(count: number, seed: number): Findings {
  const findings = nothing();
  fc.assert(
    fc.property(anyNetworks, (network) => note(findings, network)),
    // The many runs that shrink a counterexample do not count as searched networks.
    { numRuns: count, seed },
  );
  return findings;
}

/** Every `step`th of all small networks. */
export const searchSmall = (step: number): Findings => searchAll(enumerate(), step);

/** Every `step`th of all small networks with a Milter in them. */
export const searchSmallWithMilter = (step: number): Findings => searchAll(enumerateWithMilter(), step);

function searchAll(networks: Iterable<Network>, step: number): Findings {
  const findings = nothing();
  let at = 0;
  for (const network of networks) {
    if (at % step === 0) noteOrShow(findings, network);
    at += 1;
  }
  return findings;
}

function noteOrShow(findings: Findings, network: Network): void {
  try {
    note(findings, network);
  } catch (error) {
    throw new Error(`in the network ${JSON.stringify(network)}`, { cause: error });
  }
}

function note(findings: Findings, network: Network): void {
  const { outcomes, reports, transactions, needlessRefusal } = check(network);
  findings.networks += 1;
  findings.mostTransactions = Math.max(findings.mostTransactions, transactions);
  if (needlessRefusal) findings.needless += 1;
  let refused = false;
  for (const outcome of [outcomes, ...reports.map((report) => report.outcomes)].flat()) {
    if ('why' in outcome && ['stamp', 'count', 'call'].includes(outcome.why)) refused = true;
    const way = [...steps(outcome.journey)].filter(({ kind }) => kind === 'server' || kind === 'pass');
    findings.longestJourney = Math.max(findings.longestJourney, way.length);
    for (const cluster of network.clusters.keys()) {
      const times = way.filter((step) => step.kind === 'pass' && step.cluster === cluster).length;
      findings.mostPasses = Math.max(findings.mostPasses, times);
    }
  }
  if (refused) findings.guarded += 1;
}

const nothing = (): Findings => ({
  networks: 0,
  guarded: 0,
  needless: 0,
  longestJourney: 0,
  mostPasses: 0,
  mostTransactions: 0,
});
