import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeLink, parseLink } from './link.ts';

test('bandwidth and loss are read as they are usually written', () => {
  assert.deepEqual(parseLink({}), { bandwidth: undefined, loss: 0 });
  assert.deepEqual(parseLink({ bandwidth: '10mbit', loss: '1%' }), { bandwidth: 10_000_000, loss: 0.01 });
  assert.deepEqual(parseLink({ bandwidth: '512Kbit', loss: '0.5%' }), { bandwidth: 512_000, loss: 0.005 });
  assert.equal(describeLink(parseLink({ bandwidth: '1.5mbit', loss: '7%' })), '1.5 Mbit/s, 7 % of the packets lost');
});

for (const bandwidth of ['', '10', '10mb', '0mbit', '1bit', '-1mbit', 'mbit', '999999gbit', '1mbit; reboot'])
  test(`no bandwidth: ${JSON.stringify(bandwidth)}`, () => {
    assert.throws(() => parseLink({ bandwidth }), /^Error: --bandwidth .*such as/);
  });

for (const loss of ['', '1', '0.01', '51%', '-1%', '%', '1%%'])
  test(`no loss: ${JSON.stringify(loss)}`, () => {
    assert.throws(() => parseLink({ loss }), /^Error: --loss .*such as/);
  });
