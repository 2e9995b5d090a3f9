import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { MemoryStore } from '../../storage/testing/memory-store.ts';
import { readManifest } from '../manifest.ts';
import { Lab } from '../testing/lab.ts';
import { letterWithFile } from '../testing/messages.ts';

const store = new MemoryStore();
const lab = new Lab({ store });
after(() => lab.close());

test('the record that docs/restore.md shows is the one of such a message', async () => {
  const page = readFileSync(new URL('../../../docs/restore.md', import.meta.url), 'utf8');
  const example: unknown = JSON.parse(/```json\n(.*?)```/s.exec(page)![1]!);
  await lab.detach(letterWithFile(Buffer.alloc(1_000_000)));
  const [record] = store.messages.values();
  assert.deepEqual(example, readManifest(record!));
});
