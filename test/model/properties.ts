import assert from 'node:assert/strict';
import { passes, steps, type Journey, type Step } from './journey.ts';
import { targetsOf, type Network } from './network.ts';
import { simulate, type Outcome, type Report, type Result } from './simulation.ts';
import { reach } from './walks.ts';

/** Passes that our trace fields allow when the stamps are gone. */
const ownHopLimit = 10;

/** A Milter writes no trace field, so the number of all trace fields ends the loop, as at Postfix. */
const allHopsLimit = 50;

export interface Checked extends Result {
  /** There is no loop, but an address was refused after it had passed more often than allowed. */
  readonly needlessRefusal: boolean;
}

/**
 * What must hold in every network:
 *
 * 1. Every message ends somewhere (`simulate` throws otherwise). 2. No copy passes a cluster more often than allowed:
 * alone, `maxPasses` times for an address; in company, where a return may be another way, once more under each
 * reverse-path; and ten times when something blinds the stamps. A Milter lets pass again what comes in the company of
 * somebody who does not loop, at most once for each of these. 3. Every recipient that can be reached without a loop
 * gets at least one copy, unless it merged with one that had passed more often than allowed. If there is no loop, every copy is delivered that would be delivered without the guard,
 * except for an address that has already passed more often than allowed by several paths. 4. What is not delivered is
 * reported to the sender, exactly once, and nobody is told about null-sender mail. 5. Filters that call one another
 * stop after one round.
 */
export function check(network: Network): Checked {
  const result = simulate(network, { guarded: true });
  const { origin, recipients } = network.message;
  checkMessage(
    network,
    result.outcomes,
    recipients.map((address) => ({ server: origin, address })),
  );
  checkReports(network, result.outcomes);
  for (const report of result.reports) {
    checkMessage(network, report.outcomes, [{ server: report.from, address: report.to }]);
    assert.ok(
      report.outcomes.every((outcome) => outcome.kind !== 'reported'),
      'a report on a report',
    );
  }
  const rounds = Math.max(...network.clusters.map(({ maxPasses }) => maxPasses), 1);
  assert.ok(result.longestCall <= network.clusters.length * rounds + 1, `a call through ${result.longestCall} filters`);
  return { ...result, needlessRefusal: checkNoAlarm(network, result) };
}

/** Rules 2 and 3 for one message, the first one or a report. */
function checkMessage(
  network: Network,
  outcomes: readonly Outcome[],
  starts: readonly { readonly server: number; readonly address: number }[],
): void {
  const delivered = new Set<number>();
  for (const outcome of outcomes) {
    checkPasses(network, outcome.journey);
    if (outcome.kind === 'delivered') delivered.add(outcome.mailbox);
  }
  for (const { server, address } of starts) {
    for (const mailbox of reach(network, server, address).mailboxes) {
      const met = delivered.has(mailbox) || isMergedAndRefused(network, outcomes, mailbox);
      assert.ok(met, `u${mailbox} could be reached by way of u${address}, and was not`);
    }
  }
}

/**
 * A server delivers one copy where several paths for an address meet. It bears the stamps of all of them, and is refused
 * when the address has passed too often by one of them.
 */
function isMergedAndRefused(network: Network, outcomes: readonly Outcome[], mailbox: number): boolean {
  const ofMailbox = outcomes.filter((outcome) => 'address' in outcome && outcome.address === mailbox);
  return (
    ofMailbox.some(({ kind }) => kind === 'merged') &&
    ofMailbox.some((outcome) => isAlarm(outcome) && outcome.why === 'stamp') &&
    passesFor(outcomes, mailbox) + pendingPass(network) > fewestPasses(network)
  );
}

function checkPasses(network: Network, journey: Journey): void {
  const blinded = [...steps(journey)].some((step) => step.kind === 'blinded');
  for (const [cluster, { maxPasses }] of network.clusters.entries()) {
    const all = [...passes(journey, cluster)];
    const most = network.servers.some(({ milter }) => milter?.cluster === cluster) ? allHopsLimit : ownHopLimit;
    assert.ok(all.length <= most, `${all.length} passes of cluster ${cluster}`);
    if (blinded) continue;
    const tolerated = all.filter((pass) => pass.tolerated === true);
    assert.ok(tolerated.length < network.addresses.length, `${tolerated.length} passes for the sake of others`);
    assert.ok(
      tolerated.every(({ company }) => company > 1),
      'alone, and tolerated',
    );
    for (const { address, reversePath } of all) {
      const ofAddress = all.filter((pass) => pass.address === address && pass.tolerated !== true);
      const alone = ofAddress.filter(({ company }) => company === 1).length;
      const together = ofAddress.filter((pass) => pass.reversePath === reversePath).length;
      const everAlone = ofAddress.length === alone;
      assert.ok(!everAlone || alone <= maxPasses, `u${address} passed cluster ${cluster} alone ${alone} times`);
      assert.ok(together <= maxPasses + 1, `u${address} passed cluster ${cluster} ${together} times`);
    }
  }
}

/** Rule 4: every copy that ends without delivery stands in exactly one report, and no copy ends twice or never. */
function checkReports({ addresses, message }: Network, outcomes: readonly Outcome[]): void {
  const listed = new Map<Report, number>();
  for (const outcome of outcomes) {
    if (outcome.kind === 'reported') listed.set(outcome.report, (listed.get(outcome.report) ?? 0) + 1);
    if (outcome.kind === 'dropped') assert.equal(message.sender, undefined, 'nobody was told');
  }
  for (const [report, count] of listed) assert.equal(report.copies.length, count, 'listed as often as it failed');
  const forks = addresses.some((address) => targetsOf(address).length > 1);
  for (const recipient of message.recipients) {
    const ends = outcomes.filter(({ journey }) =>
      [...steps(journey)].some((step) => step.kind === 'start' && step.address === recipient),
    );
    assert.ok(forks ? ends.length > 0 : ends.length === 1, `mail for u${recipient} ended ${ends.length} times`);
  }
}

/** Rule 3, second half; says whether its exception was needed. */
function checkNoAlarm(network: Network, result: Result): boolean {
  const { origin, recipients } = network.message;
  if (!recipients.every((address) => reach(network, origin, address).loopFree)) return false;
  const without = simulate(network, { guarded: false });
  const alarms = result.outcomes.filter(isAlarm);
  for (const alarm of alarms) {
    assert.equal(alarm.why, 'stamp', `u${alarm.address} refused by another fence, and no loop anywhere`);
    const passed = passesFor(result.outcomes, alarm.address);
    const tooOften = passed + pendingPass(network) > fewestPasses(network);
    assert.ok(tooOften, `u${alarm.address} refused after ${passed} passes, and no loop anywhere`);
  }
  if (alarms.length > 0) return true;
  assert.deepEqual(deliveriesOf(result.outcomes), deliveriesOf(without.outcomes), 'the guard changed who gets it');
  return false;
}

const fewestPasses = ({ clusters }: Network): number => Math.min(...clusters.map(({ maxPasses }) => maxPasses));

/** A Milter may refuse within the call of a relay of its cluster: the relay has stamped the copy but does not complete it. */
function pendingPass({ filters, servers }: Network): 0 | 1 {
  const relays = new Set(filters.map(({ cluster }) => cluster));
  return servers.some(({ milter }) => milter && relays.has(milter.cluster)) ? 1 : 0;
}

type Refusal = Extract<Outcome, { kind: 'reported' | 'dropped' }>;

const isAlarm = (outcome: Outcome): outcome is Refusal =>
  'why' in outcome && ['stamp', 'count', 'call'].includes(outcome.why);

const passesFor = (outcomes: readonly Outcome[], address: number): number =>
  outcomes.flatMap(({ journey }) => passesOf(journey, address)).length;

/** A copy that goes through a relay and a Milter of one cluster has two. */
const passesOf = (journey: Journey, address: number): Step[] =>
  [...steps(journey)].filter((step) => step.kind === 'pass' && step.address === address);

const deliveriesOf = (outcomes: readonly Outcome[]): readonly number[] =>
  outcomes.flatMap((outcome) => (outcome.kind === 'delivered' ? [outcome.mailbox] : [])).sort((a, b) => a - b);
