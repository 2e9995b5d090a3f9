import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askAll, type Respondent } from './questions.ts';

const question = { session: undefined, marks: [], waitingMs: 0 };
const says = (answer: boolean | undefined): Respondent => ({ question: () => Promise.resolve(answer) });
const silent: Respondent = { question: () => new Promise(() => undefined) };

test('the first yes wins, whoever is still silent; no is said by all', async () => {
  assert.equal(await askAll(question, []), false);
  assert.equal(await askAll(question, [says(false), says(undefined)]), false);
  assert.equal(await askAll(question, [silent, says(false), says(true)]), true);
});

test('each is given half a second', async () => {
  let given = 0;
  const patient: Respondent = {
    question: (_, timeoutMs) => {
      given = timeoutMs;
      return Promise.resolve(undefined);
    },
  };
  assert.equal(await askAll(question, [patient]), false);
  assert.equal(given, 500);
});
