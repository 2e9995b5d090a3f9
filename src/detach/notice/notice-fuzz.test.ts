import { test } from 'node:test';
import { fuzzNotice } from '../../../test/fuzz/notice.ts';

test('a slice of the fuzzing', () => fuzzNotice({ iterations: 4000, seed: 20261128 }));
