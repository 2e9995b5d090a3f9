/**
 * fast-check with one seed, so that a test run has the same result on every machine. `DETACH_SEED=random` searches
 * other inputs, and `DETACH_SEED=N` repeats a run that named its seed.
 */
import fc from 'fast-check';

const { DETACH_SEED: wanted = '20261128' } = process.env;

if (wanted !== 'random') fc.configureGlobal({ seed: Number(wanted) });

export default fc;
