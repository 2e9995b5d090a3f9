import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CountedClients, type Admission } from './client-limits.ts';

function leave(admission: Admission): void {
  assert.equal(admission.kind, 'admitted');
  admission.leave();
}

test('places are counted in all and per address, and given back', () => {
  const limits = new CountedClients({ maxClients: 3, maxClientsPerAddress: 2 });
  const first = limits.enter('192.0.2.1');
  limits.enter('192.0.2.1');
  assert.deepEqual(limits.enter('192.0.2.1'), { kind: 'refused', failure: 'tooManyClientsFromAddress' });
  const other = limits.enter('192.0.2.2');
  assert.deepEqual(limits.enter('192.0.2.3'), { kind: 'refused', failure: 'tooManyClients' });
  leave(first);
  leave(limits.enter('192.0.2.3'));
  leave(other);
  assert.equal(limits.enter('192.0.2.1').kind, 'admitted');
});
