// The whole search: `node --import tsx test/model/full.ts [random networks] [seed]`. Takes some minutes.
import { searchRandom, searchSmall, searchSmallWithMilter, type Findings } from './search.ts';

const [count = '100000', seed = String(Date.now() % 2 ** 31)] = process.argv.slice(2);

show(`random networks, seed ${seed}`, () => searchRandom(Number(count), Number(seed)));
show('all networks of up to three servers and two recipients', () => searchSmall(1));
show('the same with a Milter at every place', () => searchSmallWithMilter(1));

function show(what: string, search: () => Findings): void {
  const started = performance.now();
  const found = search();
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(`${what}: ${found.networks} networks in ${seconds} s, no rule broken`);
  console.log(`  the guard refused something in ${found.guarded}, needlessly in ${found.needless}`);
  console.log(`  longest journey: ${found.longestJourney} hops, ${found.mostPasses} passes of one cluster`);
  console.log(`  most transactions for one message and its reports: ${found.mostTransactions}`);
}
