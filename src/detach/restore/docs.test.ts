import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { MemoryStore } from '../../storage/testing/memory-store.ts';
import { readManifest } from '../manifest.ts';
import { Lab } from '../testing/lab.ts';
import { base64, crlf } from '../testing/messages.ts';

const store = new MemoryStore();
const lab = new Lab({ store });
after(() => lab.close());

test('the record that docs/restore.md shows is the one of such a message', async () => {
  const page = readFileSync(new URL('../../../docs/restore.md', import.meta.url), 'utf8');
  const example: unknown = JSON.parse(/```json\n(.*?)```/s.exec(page)![1]!);
  await lab.detach(
    crlf(
      'From: a@a.example',
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      'Content-Type: text/plain',
      '',
      'Hello',
      '--b',
      'Content-Type: application/pdf',
      'Content-Transfer-Encoding: base64',
      '',
      base64(Buffer.alloc(1_000_000)),
      '--b--',
    ),
  );
  const [record] = store.messages.values();
  assert.deepEqual(example, readManifest(record!));
});
