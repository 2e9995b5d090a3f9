/** The sets of docs/tuning.md: nothing to say against any of them, beside what they are laid over. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDetachSettings, readSettings, settingsNames, type SettingsName } from '../../test/harness/settings.ts';
import type { PostfixSettings } from '../../test/harness/postfix-home.ts';
import { a, b, describe } from './testing/broken-set-ups.ts';
import { examineNeighbours } from './testing/neighbour-lab.ts';

const asText = (settings: PostfixSettings): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)]));

const setUp = (name: SettingsName) => ({
  postfix: [
    { ...a, main: asText(readSettings('postfix-a', name)) },
    { ...b, main: asText(readSettings('postfix-b', name)) },
  ],
  config: readDetachSettings(name),
});

for (const name of settingsNames) {
  test(`doctor has nothing to say against the set ${name}`, async (t) => {
    const found = await examineNeighbours(t, setUp(name));
    assert.equal(found.filter(({ result }) => result !== 'ok').length, 0, describe(found));
    assert.ok(found.length >= 15, describe(found));
  });

  test(`the set ${name} does not mix with another one's sizes`, async (t) => {
    const { postfix } = setUp(name);
    const found = await examineNeighbours(t, { postfix, config: { inbound: { maxMessageSize: '10MiB' } } });
    assert.ok(
      found.some(({ check, result }) => check === 'postfix-size' && result === 'fail'),
      describe(found),
    );
  });
}
