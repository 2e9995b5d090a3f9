/**
 * fast-check with one seed, so that a test run says the same on every machine. Other inputs are searched with
 * `DETACH_SEED=random`, or `DETACH_SEED=N` for those that a run named.
 */
import fc from 'fast-check';

const { DETACH_SEED: wanted = '20261128' } = process.env;

if (wanted !== 'random') fc.configureGlobal({ seed: Number(wanted) });

export default fc;
