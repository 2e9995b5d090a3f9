/**
 * Messages that other people collected to break mail software, detached and compared by judges of other makes: what
 * `mailparser` and Python's `email` see before must be what they see afterwards, taken together with what was stored.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, randomInt } from 'node:crypto';
import { after, suite, test } from 'node:test';
import { simpleParser, type ParsedMail } from 'mailparser';
import { MemoryStore } from '../storage/testing/memory-store.ts';
import type { Log } from '../observe/interface.ts';
import { HeaderBlock } from '../message/header-block.ts';
import { corpusMessages, enlarged, forwarded, withFile } from './testing/corpora.ts';
import { Lab, oneByOne, silentLog } from './testing/lab.ts';

const store = new MemoryStore();
/** Parts of the message at hand that were left alone, by reason. */
let left: Readonly<Record<string, number>> = {};
const log: Log = {
  ...silentLog,
  debug(event, fields) {
    if (event === 'left-alone') left = fields?.['parts'] as typeof left;
  },
};
/** Small, since the messages are. */
const lab = new Lab({ store, log, rules: { minSize: 1000 } });
after(() => lab.close());

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

interface Run {
  readonly corpus: string;
  readonly name: string;
  readonly before: Buffer;
  readonly after: Buffer;
  readonly files: readonly string[];
  /** Why something was left alone. */
  readonly reasons: readonly string[];
}

const runs: Run[] = [];
for (const { corpus, name, message } of corpusMessages())
  for (const [set, before] of [
    [corpus, message],
    [`${corpus}, forwarded`, forwarded(message)],
    [`${corpus}, with a file`, withFile(message)],
    [`${corpus}, enlarged`, enlarged(message)],
  ] as const) {
    if (set !== corpus && before.equals(message)) continue;
    left = {};
    const out = await lab.detach(before);
    const files = out.files.map((file) => file.sha256);
    runs.push({ corpus: set, name: `${set}: ${name}`, before, after: out.message, files, reasons: Object.keys(left) });
  }

function* atRandom(message: Buffer): Generator<Buffer> {
  for (let at = 0; at < message.length;) {
    const end = at + randomInt(1, 60);
    yield message.subarray(at, end);
    at = end;
  }
}

suite('the corpus comes back byte for byte', () => {
  for (const { name, before, after: detached, files } of runs)
    test(name, async () => {
      const cut = name.includes(',') ? [...atRandom(before)] : [...oneByOne(before)];
      assert.deepEqual((await lab.detach(cut)).message, detached);
      if (files.length === 0) assert.deepEqual(detached, before);
      else assert.deepEqual(await lab.restore(detached), before);
    });
});

test('the corpora have something to detach and something to leave alone', (t) => {
  assert.ok(runs.some(({ files }) => files.length === 0));
  for (const [corpus, all] of group(runs, (run) => run.corpus)) {
    const detached = all.filter(({ files }) => files.length > 0);
    const why = group(
      all.filter(({ files }) => files.length === 0),
      whyWhole,
    );
    if (/forwarded|with/.test(corpus)) assert.ok(detached.length > all.length / 2, corpus);
    const reasons = Array.from(why, ([reason, { length }]) => `${length} ${reason}`).join(', ') || 'none';
    const files = detached.reduce((sum, run) => sum + run.files.length, 0);
    t.diagnostic(
      `${corpus}: ${all.length} messages, ${detached.length} detached (${files} files); left alone: ${reasons}`,
    );
  }
});

function whyWhole({ before, reasons }: Run): string {
  const end = before.indexOf('\r\n\r\n');
  const { fields } = HeaderBlock.parse(before.subarray(0, end < 0 ? before.length : end + 2));
  if (fields.some(({ key }) => key === '')) return 'a line of the header that is no field';
  return reasons.filter((reason) => reason !== 'small').join(' and ') || 'no part is large enough';
}

function group<T>(list: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of list) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

suite('mailparser sees the same texts and files', () => {
  const hashes = (mail: ParsedMail): string[] => mail.attachments.map(({ content }) => sha256(content));
  const lines = (mail: ParsedMail): string[] =>
    (mail.text ?? '')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
  for (const { name, before, after: detached, files } of runs.filter((run) => run.files.length > 0))
    test(name, async () => {
      const [was, is] = [await simpleParser(before), await simpleParser(detached)];
      const found = [...hashes(is), ...files];
      for (const hash of hashes(was).filter((h) => !isForwarded(was, h))) assert.ok(found.includes(hash));
      const seen = lines(is);
      for (const line of lines(was)) {
        const at = seen.indexOf(line);
        assert.ok(at >= 0, `missing: ${line}`);
        seen.splice(0, at + 1);
      }
    });

  /** A forwarded message is itself a file to mailparser, and changes when a file leaves it. */
  function isForwarded(mail: ParsedMail, hash: string): boolean {
    return mail.attachments.some((a) => sha256(a.content) === hash && a.contentType === 'message/rfc822');
  }
});

test('Python’s email sees the same leaves', () => {
  const script = `
import sys, json, hashlib, email, email.policy
out = []
for line in sys.stdin:
    m = email.message_from_bytes(json.loads(line).encode('latin1'))
    leaves = []
    for p in m.walk():
        if not p.is_multipart():
            payload = p.get_payload(decode=True) or b''
            leaves.append([p.get_content_type(), hashlib.sha256(payload).hexdigest(), payload.decode('latin1')])
    print(json.dumps(leaves))
`;
  const changed = runs.filter(({ files }) => files.length > 0);
  const input = changed
    .flatMap((run) => [run.before, run.after])
    .map((bytes) => JSON.stringify(bytes.toString('latin1')));
  const { stdout, stderr, status } = spawnSync('python3', ['-c', script], { input: input.join('\n'), maxBuffer: 1e9 });
  assert.equal(status, 0, stderr.toString());
  const leaves = stdout
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as [type: string, sha256: string, text: string][]);
  for (const [i, { name, files }] of changed.entries()) {
    const [was, is] = [leaves[2 * i]!, leaves[2 * i + 1]!];
    const found = [...is.map(([, hash]) => hash), ...files];
    const missing = was.filter(([, hash]) => !found.includes(hash));
    // One text, and its alternatives, carry the notice.
    assert.ok(missing.length <= 3 && missing.every(([type]) => /^text\/(plain|html)$/.test(type)), name);
    for (const [type, , text] of missing)
      assert.ok(
        is.some(([t, , now]) => t === type && isInfix(text, now)),
        `${name}: ${text}`,
      );
  }
});

/** Whether the one is the other with something added at one place. */
function isInfix(was: string, now: string): boolean {
  let head = 0;
  while (head < was.length && was[head] === now[head]) head++;
  return now.length > was.length && now.endsWith(was.slice(head));
}
