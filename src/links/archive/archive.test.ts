import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { after, before, describe, test } from 'node:test';
import { crc32 } from 'node:zlib';
import { Archive, type ArchiveFile } from './archive.ts';
import { entryNames } from './entry-names.ts';

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'archive-'));
});
after(() => rmSync(folder, { recursive: true }));

const modified = new Date('2026-11-28T09:41:20Z');
const fileOf = (name: string, bytes: Buffer): ArchiveFile & { readonly bytes: Buffer } => ({
  name,
  size: bytes.length,
  crc32: crc32(bytes),
  modified,
  sha256: createHash('sha256').update(bytes).digest('hex'),
  token: name,
  bytes,
});

type Held = ReturnType<typeof fileOf>;
const bytesOf = (archive: Archive, offset = 0, count = archive.size): Buffer =>
  Buffer.concat(
    Array.from(archive.slice(offset, count), (piece) =>
      piece.kind === 'own'
        ? piece.bytes
        : (piece.file as Held).bytes.subarray(piece.offset, piece.offset + piece.count),
    ),
  );

function run(command: string, args: readonly string[], input?: Buffer): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { input, maxBuffer: 1 << 28 });
  assert.equal(status, 0, `${command}: ${error?.message}${stderr.toString()}${stdout.toString()}`);
  return stdout.toString();
}

/** Reads names, sizes and SHA-256 from the central directory. */
const python = `
import sys, zipfile, hashlib
z = zipfile.ZipFile(sys.argv[1])
assert z.testzip() is None
for i in z.infolist(): print(i.filename, i.file_size, i.date_time, bool(i.flag_bits & 0x800), i.compress_type, hashlib.sha256(z.read(i)).hexdigest())
`;

describe('an archive', () => {
  const files = [
    fileOf('plan.pdf', randomBytes(100_000)),
    fileOf('Übersicht 日本 📎.pdf', randomBytes(70_001)),
    fileOf('empty.txt', Buffer.alloc(0)),
    fileOf('looks like a ZIP.zip', Buffer.from('PK\x03\x04PK\x01\x02PK\x05\x06'.repeat(100), 'latin1')),
  ];
  const archive = new Archive(files);
  const bytes = bytesOf(archive);

  test('has the size that it says, and is read by everything that reads ZIP', () => {
    assert.equal(bytes.length, archive.size);
    const path = join(folder, 'all.zip');
    writeFileSync(path, bytes);
    assert.match(run('unzip', ['-t', path]), /No errors detected/);
    assert.match(run('7z', ['t', path]), /Everything is Ok/);
    assert.deepEqual(
      run('python3', ['-c', python, path]).trim().split('\n'),
      files.map(({ name, size, sha256 }) => `${name} ${size} (2026, 11, 28, 9, 41, 20) True 0 ${sha256}`),
    );
    // It reads local headers in order, and cannot find the end of a stored entry with a data descriptor.
    const out = mkdtempSync(join(folder, 'out-'));
    run('bsdtar', ['-xf', '-', '-C', out], bytes);
    assert.deepEqual(readdirSync(out).sort(), files.map(({ name }) => name).sort());
    for (const file of files) assert.ok(readFileSync(join(out, file.name)).equals(file.bytes), file.name);
  });

  test('begins anywhere and ends anywhere', () => {
    for (let i = 0; i < 300; i++) {
      const offset = Math.floor(Math.random() * archive.size);
      const count = Math.ceil(Math.random() * (archive.size - offset));
      assert.ok(bytesOf(archive, offset, count).equals(bytes.subarray(offset, offset + count)), `${offset} ${count}`);
    }
    const small = new Archive(files.slice(2));
    for (let i = 0; i < small.size; i++) assert.equal(bytesOf(small, i, 1)[0], bytesOf(small)[i]);
  });

  test('has a tag that changes with all that it is made of', () => {
    const [first, second] = files as [Held, Held];
    const tags = [
      archive,
      new Archive([first, second]),
      new Archive([second, first]),
      new Archive([{ ...first, name: 'other.pdf' }, second]),
      new Archive([{ ...first, sha256: second.sha256 }, second]),
      new Archive([{ ...first, modified: new Date(0) }, second]),
    ].map(({ etag }) => etag);
    assert.equal(new Set(tags).size, tags.length);
    assert.equal(new Archive(files).etag, archive.etag);
    assert.match(archive.etag, /^"[0-9a-f]{64}"$/);
  });
});

describe('ZIP64', () => {
  const GiB = 2 ** 30;
  const zeros = Buffer.alloc(2 ** 20);
  /** A sparse file of `size` zeros, which takes no room. */
  const sparse = (size: number): ArchiveFile => {
    let crc = 0;
    for (let left = size; left > 0; left -= zeros.length)
      crc = crc32(zeros.subarray(0, Math.min(left, zeros.length)), crc);
    return { name: 'large.bin', size, crc32: crc, modified, sha256: '0'.repeat(64), token: 'large' };
  };

  const large = sparse(4 * GiB + 5);

  test('files of more than 4 GiB, and files that stand behind them', () => {
    const edge = { ...large, name: 'edge.bin', size: 2 ** 32 - 1 };
    const last = fileOf('last é.txt', Buffer.from('the last one\n'));
    const archive = new Archive([large, edge, last]);
    const path = join(folder, 'large.zip');
    const file = openSync(path, 'w');
    let at = 0;
    for (const piece of archive.slice(0, archive.size)) {
      if (piece.kind === 'own') writeSync(file, piece.bytes, 0, piece.bytes.length, at);
      else if (piece.file === last) writeSync(file, last.bytes, 0, last.size, at);
      at += piece.kind === 'own' ? piece.bytes.length : piece.count;
    }
    closeSync(file);
    assert.equal(at, archive.size);
    const list = run('python3', [
      '-c',
      `
import sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
for i in z.infolist(): print(i.filename, i.file_size, i.header_offset)
print(z.read('last é.txt'), z.open('edge.bin').read(10))`,
      path,
    ]);
    assert.match(list, new RegExp(`large.bin ${large.size} 0\nedge.bin ${2 ** 32 - 1} ${large.size + 59}\n`));
    assert.match(list, /b'the last one\\n' b'(?:\\x00){10}'/);
    assert.equal(run('unzip', ['-p', path, 'last*']), 'the last one\n');
    assert.match(run('unzip', ['-Z', path, 'large.bin']), /4294967301/);
    assert.match(run('7z', ['l', path]), /8589934609\s+8589934609\s+3 files/);
  });

  test('a program that streams finds what stands behind 4 GiB', async () => {
    const last = fileOf('last.txt', Buffer.from('the last one\n'));
    const archive = new Archive([large, last]);
    const tar = spawn('bsdtar', ['-tvf', '-'], { stdio: ['pipe', 'pipe', 'inherit'] });
    let said = '';
    tar.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    const closed = once(tar, 'close') as Promise<[number]>;
    await pipeline(function* () {
      for (const piece of archive.slice(0, archive.size)) {
        if (piece.kind === 'own') yield piece.bytes;
        else if (piece.file === last) yield last.bytes;
        else
          for (let left = piece.count; left > 0; left -= zeros.length)
            yield zeros.subarray(0, Math.min(left, zeros.length));
      }
    }, tar.stdin);
    assert.equal((await closed)[0], 0);
    assert.match(said, /4294967301 .* large\.bin\n.* 13 .* last\.txt\n/);
  });

  test('more than 65,535 entries', async () => {
    for (const count of [65_534, 65_536]) {
      const none = Buffer.alloc(0);
      const files = Array.from({ length: count }, (_, i) => ({ ...fileOf('', none), name: `${i}.txt` }));
      const archive = new Archive(files);
      const path = join(folder, 'many.zip');
      const file = openSync(path, 'w');
      await pipeline(
        function* () {
          for (const piece of archive.slice(0, archive.size)) if (piece.kind === 'own') yield piece.bytes;
        },
        new Writable({
          write(chunk: Buffer, _encoding, done) {
            writeSync(file, chunk);
            done();
          },
        }),
      );
      closeSync(file);
      assert.equal(
        run('python3', ['-c', 'import sys, zipfile; print(len(zipfile.ZipFile(sys.argv[1]).infolist()))', path]).trim(),
        String(count),
      );
      assert.match(run('unzip', ['-Z', '-h', path]), new RegExp(`number of entries: ${count}`));
    }
  });
});

test('names of entries are safe and different on every file system', () => {
  const cases: [readonly string[], readonly string[]][] = [
    [
      ['a.pdf', 'A.PDF', 'a.pdf', 'b.pdf'],
      ['a.pdf', 'A-2.PDF', 'a-3.pdf', 'b.pdf'],
    ],
    [
      ['a.pdf', 'a.pdf', 'a-2.pdf', 'a-2.pdf'],
      ['a.pdf', 'a-2.pdf', 'a-2-2.pdf', 'a-2-3.pdf'],
    ],
    [
      ['../../etc/passwd', 'C:\\x\\y.doc', 'con.txt', 'ab:c?.txt', ' . ', 'x\0y\u202e.txt'],
      ['passwd', 'y.doc', '_con.txt', 'ab_c_.txt', 'attachment.pdf', 'xy.txt'],
    ],
    [
      ['οδος.pdf', 'ΟΔΟΣ.pdf', 'Straße.pdf', 'STRASSE.pdf', 'STRAẞE.pdf', 'Cafe\u0301.pdf', 'CAFÉ.pdf'],
      ['οδος.pdf', 'ΟΔΟΣ-2.pdf', 'Straße.pdf', 'STRASSE-2.pdf', 'STRAẞE-3.pdf', 'Café.pdf', 'CAFÉ-2.pdf'],
    ],
  ];
  for (const [names, expected] of cases) {
    assert.deepEqual(entryNames(names.map((name) => ({ name, type: 'application/pdf' }))), expected);
  }
  const many = entryNames(Array.from({ length: 500 }, () => ({ name: 'photo.jpg', type: 'image/jpeg' })));
  assert.equal(new Set(many).size, 500);
});
