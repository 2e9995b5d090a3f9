import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { crlf, cutAt } from '../testing/messages.ts';
import { parsePartHead } from './part-head.ts';
import { MimeScanner, type Sink } from './scanner.ts';
import type { Leaf } from './structure.ts';

/** Records the calls, and checks that every byte comes exactly once. */
class Recorder implements Sink {
  readonly leaves: string[] = [];
  all = '';
  #body = '';
  #leaf: Leaf | undefined;
  #ambiguous = '';
  tooMuchOf: string | undefined;

  literal(bytes: Buffer): void {
    assert.equal(this.#leaf, undefined, 'structure within a leaf');
    this.all += bytes.toString('latin1');
  }

  leafBegins(leaf: Leaf): void {
    assert.equal(leaf.bodyAt, this.all.length);
    this.#leaf = leaf;
    this.#body = this.#ambiguous = '';
  }

  leafData(bytes: Buffer): void {
    this.#body += bytes.toString('latin1');
    this.all += bytes.toString('latin1');
  }

  leafIsAmbiguous(): void {
    this.#ambiguous = ' ambiguous';
  }

  tooMuch(reason: string): void {
    this.tooMuchOf = reason;
    this.#leaf = undefined;
  }

  leafEnds(end: number, next: number): void {
    const { section, head, opaque, bodyAt, headerAt, delimiterAt } = this.#leaf!;
    assert.equal(end - bodyAt, this.#body.length);
    assert.ok(delimiterAt <= headerAt && headerAt <= bodyAt && end <= next && next <= end + 2);
    const note = opaque === undefined ? '' : ` (${opaque})`;
    this.leaves.push(`${section} ${head.type}${note}${this.#ambiguous}: ${JSON.stringify(this.#body)}`);
    this.#leaf = undefined;
  }
}

function scan(head: string, chunks: readonly Buffer[], maxDepth = 5): Recorder {
  const recorder = new Recorder();
  const scanner = new MimeScanner(parsePartHead(Buffer.from(head)), recorder, { maxDepth });
  for (const chunk of chunks) scanner.push(chunk);
  scanner.end();
  assert.equal(recorder.all, Buffer.concat(chunks).toString('latin1'));
  return recorder;
}

function leavesOf(head: string, body: Buffer, maxDepth?: number): string[] {
  const { leaves } = scan(head, [body], maxDepth);
  assert.deepEqual(scan(head, cutAt(body, [...body.keys()]), maxDepth).leaves, leaves, 'one byte at a time');
  for (let at = 1; at < body.length; at++)
    assert.deepEqual(scan(head, cutAt(body, [at]), maxDepth).leaves, leaves, `cut at ${at}`);
  return leaves;
}

const mixed = 'Content-Type: multipart/mixed; boundary=b\r\n';
const type = (t: string): string => `Content-Type: ${t}`;

suite('the parts of a message', () => {
  const cases: Record<string, { head?: string; body: Buffer; leaves: string[]; maxDepth?: number }> = {
    'no multipart': { head: '', body: crlf('--b', 'x'), leaves: ['1 : "--b\\r\\nx\\r\\n"'] },
    'preamble and epilogue': {
      body: crlf('pre', '--b', '', 'x', '--b--', 'post', '--b', '', 'no part'),
      leaves: ['1 : "x"'],
    },
    'the empty line after the header stands for the line end of the first delimiter': {
      body: crlf('--b', '', '--b', type('a/b'), '', '', '--b--'),
      leaves: ['1 : ""', '2 a/b: ""'],
    },
    'an empty body': { body: crlf('--b', '', '', '--b--'), leaves: ['1 : ""'] },
    'transport padding': { body: crlf('--b \t', '', 'x', '--b--  ', 'y'), leaves: ['1 : "x"'] },
    'a missing end': { body: crlf('--b', '', 'x', '--b', '', 'y'), leaves: ['1 : "x"', '2 : "y\\r\\n"'] },
    'an end without its line end': { body: Buffer.from('--b\r\n\r\nx\r\n--b--'), leaves: ['1 : "x"'] },
    'an end that is cut': { body: Buffer.from('--b\r\n\r\nx\r\n--b-'), leaves: ['1  ambiguous: "x\\r\\n--b-"'] },
    'a header without an end': { body: crlf('--b', type('a/b'), '--b', '', 'x', '--b--'), leaves: ['2 : "x"'] },
    'a message that ends in a header': { body: Buffer.from('--b\r\nContent-Type: a/b'), leaves: ['1 a/b: ""'] },
    'lines that begin like a delimiter': {
      body: crlf('--b', '', '--', '--c', '--b0', '--bb--', '-', '---b', '--b--'),
      leaves: ['1  ambiguous: "--\\r\\n--c\\r\\n--b0\\r\\n--bb--\\r\\n-\\r\\n---b"'],
    },
    'text after the closing delimiter': {
      body: crlf('--b', '', 'x', '--b--x', '--b--'),
      leaves: ['1  ambiguous: "x\\r\\n--b--x"'],
    },
    'lone CR and NUL': { body: crlf('--b', '', '\0\r--b\r\r', '--b--'), leaves: ['1 : "\\u0000\\r--b\\r\\r"'] },
    'a multipart within': {
      body: crlf(
        '--b',
        type('multipart/mixed; boundary=c'),
        '',
        '--c',
        '',
        'x',
        '--c',
        '',
        'y',
        '--c--',
        '--b',
        '',
        'z',
        '--b--',
      ),
      leaves: ['1.1 : "x"', '1.2 : "y"', '2 : "z"'],
    },
    'the delimiter around ends what is within': {
      body: crlf('--b', type('multipart/mixed; boundary=c'), '', '--c', '', 'x', '--b', '', '--c', 'z', '--b--'),
      leaves: ['1.1 : "x"', '2 : "--c\\r\\nz"'],
    },
    'one boundary is the beginning of the other': {
      body: crlf('--b', type('multipart/mixed; boundary=bb'), '', '--bb', '', 'x', '--bb--', '--b', '', 'z', '--b--'),
      leaves: ['1.1 : "x"', '2 : "z"'],
    },
    'the same boundary twice': {
      body: crlf('--b', type('multipart/mixed; boundary=b'), '', '--b', '', 'x', '--b--'),
      leaves: ['1 multipart/mixed (ambiguous boundary): ""', '2 : "x"'],
    },
    'a boundary that looks like the end of the other': {
      body: crlf('--b', type('multipart/mixed; boundary=b--'), '', '--b--'),
      leaves: ['1 multipart/mixed (ambiguous boundary): ""'],
    },
    'a multipart without boundary': {
      body: crlf('--b', type('multipart/mixed'), '', '--', 'x', '--b--'),
      leaves: ['1 multipart/mixed (no usable boundary): "--\\r\\nx"'],
    },
    'something signed': {
      body: crlf('--b', type('multipart/signed; boundary=c'), '', '--c', '', 'x', '--c--', '--b--'),
      leaves: ['1 multipart/signed (signed): "--c\\r\\n\\r\\nx\\r\\n--c--"'],
    },
    'a forwarded message': {
      body: crlf(
        '--b',
        type('message/rfc822'),
        '',
        'Subject: x',
        '',
        'text',
        '--b',
        type('message/rfc822'),
        '',
        type('multipart/mixed; boundary=c'),
        '',
        '--c',
        '',
        'x',
        '--c--',
        '--b--',
      ),
      leaves: ['1.1 : "text"', '2.1 : "x"'],
    },
    'a message in a message': {
      body: crlf('--b', type('message/rfc822'), '', type('message/rfc822'), '', '', 'text', '--b--'),
      leaves: ['1.1.1 : "text"'],
    },
    'a digest': {
      head: 'Content-Type: multipart/digest; boundary=b\r\n',
      body: crlf('--b', '', 'Subject: x', '', 'text', '--b--'),
      leaves: ['1.1 : "text"'],
    },
    'too deep': {
      maxDepth: 2,
      body: crlf(
        '--b',
        type('multipart/mixed; boundary=c'),
        '',
        '--c',
        type('multipart/mixed; boundary=d'),
        '',
        '--d',
        '',
        '--c--',
        '--b--',
      ),
      leaves: ['1.1 multipart/mixed (too deep): "--d\\r\\n"'],
    },
    'a multipart in base64': {
      body: crlf(
        '--b',
        type('multipart/mixed; boundary=c'),
        'Content-Transfer-Encoding: base64',
        '',
        '--c',
        '',
        '--b--',
      ),
      leaves: ['1 multipart/mixed (encoded structure): "--c\\r\\n"'],
    },
  };
  for (const [title, { head = mixed, body, leaves, maxDepth }] of Object.entries(cases))
    test(title, () => assert.deepEqual(leavesOf(head, body, maxDepth), leaves));
});

suite('sizes that cost only their bytes', () => {
  const chunked = (body: Buffer): Buffer[] =>
    cutAt(
      body,
      Array.from({ length: body.length >> 16 }, (_, i) => i << 16),
    );

  test('a header of a part that does not end', () => {
    const body = Buffer.concat([crlf('--b'), Buffer.alloc(200_000, 'X: y\r\n'), crlf('', '--b', '', 'z', '--b--')]);
    const { leaves } = scan(mixed, chunked(body));
    assert.equal(leaves.length, 2);
    assert.match(leaves[0]!, /^1 {2}\(header too large\)/);
    assert.deepEqual(scan(mixed, [body]).leaves, leaves);
  });

  test('2,500 parts', () => {
    const body = Buffer.concat([Buffer.from('--b\r\n\r\nx\r\n'.repeat(2500)), crlf('--b--')]);
    assert.equal(scan(mixed, chunked(body)).leaves.length, 2500);
  });

  test('parts without end', () => {
    const body = Buffer.concat([Buffer.from('--b\r\n\r\nx\r\n'.repeat(20_001)), crlf('--b--')]);
    const { leaves, tooMuchOf } = scan(mixed, chunked(body));
    assert.equal(leaves.length, 2500);
    assert.equal(tooMuchOf, 'more than 2500 parts');
    assert.deepEqual(scan(mixed, [body]).leaves, leaves);
  });

  test('1,000 levels', () => {
    const open = Array.from(
      { length: 1000 },
      (_, i) => `--b${i || ''}\r\nContent-Type: multipart/mixed; boundary=b${i + 1}\r\n\r\n`,
    );
    assert.equal(scan(mixed, chunked(Buffer.from(open.join('')))).leaves.length, 1);
  });

  test('a delimiter line that does not end', () => {
    const body = Buffer.concat([
      crlf('--b', ''),
      Buffer.from('\r\n--b'),
      Buffer.alloc(300_000, ' '),
      crlf('', '--b--'),
    ]);
    const { leaves } = scan(mixed, chunked(body));
    assert.equal(leaves.length, 1);
    assert.deepEqual(scan(mixed, [body]).leaves, leaves);
  });

  test('nothing but lines of two dashes', () => {
    const body = Buffer.concat([crlf('--b', ''), Buffer.alloc(1_000_000, '--\r\n'), crlf('--b--')]);
    assert.equal(scan(mixed, chunked(body)).leaves.length, 1);
  });
});
