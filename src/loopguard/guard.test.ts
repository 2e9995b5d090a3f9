import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { HeaderBlock } from '../message/header-block.ts';
import { createGuard, type GuardOptions } from './guard.ts';
import type { Guard } from './interface.ts';

const key = (id: string, fill: number): { id: string; secret: Buffer } => ({ id, secret: Buffer.alloc(32, fill) });
const guardWith = (options: Partial<GuardOptions> = {}): Guard =>
  createGuard({ cluster: 'lab', keys: [key('k1', 1)], maxPasses: 1, hopLimit: 50, ...options });

const NOW = Date.UTC(2026, 0, 15, 12);
const DAY = 86_400_000;
const block = (text: string): HeaderBlock => HeaderBlock.parse(Buffer.from(text.replace(/\r?\n/g, '\r\n'), 'latin1'));
const onTop = (field: string, header: HeaderBlock): HeaderBlock =>
  HeaderBlock.parse(Buffer.concat([Buffer.from(field, 'latin1'), header.raw]));

const MESSAGE = block(`Message-ID: <1@a.example>
Date: Thu, 15 Jan 2026 12:00:00 +0000
From: Alice <alice@a.example>
To: u@b.example
Subject: hello
`);

function looping(guard: Guard, header: HeaderBlock, recipients: readonly string[], at = NOW, from = 'alice@a.example') {
  const inspection = guard.inspect(header, recipients, at, from);
  assert.equal(inspection.kind, 'pass');
  return inspection.looping;
}

/** Header with a stamp for these recipients. */
function stamped(
  guard: Guard,
  recipients: readonly string[],
  { header = MESSAGE, at = NOW, from = 'alice@a.example' } = {},
): HeaderBlock {
  return onTop(guard.stamp(header, recipients, at, from), header);
}

describe('who loops', () => {
  const guard = guardWith();

  test('nobody in a message without stamps', () => {
    assert.deepEqual(looping(guard, MESSAGE, ['u@b.example', 'v@b.example']), [false, false]);
  });

  test('a copy that came back, however the address is spelt', () => {
    for (const again of ['u@b.example', 'u@B.Example.', '"u"@b.example', '@c.example:u@b.example']) {
      assert.deepEqual(looping(guard, stamped(guard, ['u@b.example']), [again]), [true], again);
    }
  });

  test('a forward is none', () => {
    assert.deepEqual(looping(guard, stamped(guard, ['u@b.example']), ['v@a.example']), [false]);
  });

  test('the whole set came back, in another order and with somebody new', () => {
    const header = stamped(guard, ['u@b.example', 'v@b.example']);
    assert.deepEqual(looping(guard, header, ['v@b.example', 'new@b.example', 'u@b.example']), [true, false, true]);
  });

  test('one of several may have been reached by another way: it passes, once', () => {
    const first = stamped(guard, ['list@b.example', 'u@b.example']);
    assert.deepEqual(looping(guard, first, ['u@b.example']), [false]);
    const second = stamped(guard, ['u@b.example'], { header: first });
    assert.deepEqual(looping(guard, second, ['u@b.example']), [true]);
    assert.deepEqual(looping(guard, second, ['u@b.example', 'list@b.example']), [true, true]);
  });

  test('whoever stands in more stamps than may be passed, whatever the sets', () => {
    let header = stamped(guard, ['u@b.example', 'v@b.example', 'w@b.example']);
    assert.deepEqual(looping(guard, header, ['u@b.example', 'v@b.example']), [false, false]);
    header = stamped(guard, ['u@b.example', 'v@b.example'], { header });
    assert.deepEqual(looping(guard, header, ['u@b.example', 'w@b.example']), [true, false]);
  });

  test('a recipient named twice is one', () => {
    const header = stamped(guard, ['u@b.example', 'u@B.example']);
    assert.deepEqual(looping(guard, header, ['u@b.example']), [true]);
    assert.deepEqual(looping(guard, header, ['u@b.example', 'u@b.example']), [true, true]);
  });

  test('identical stamps count once', () => {
    const stamp = guard.stamp(MESSAGE, ['u@b.example', 'v@b.example'], NOW, 'alice@a.example');
    const header = onTop(stamp + stamp + stamp, MESSAGE);
    assert.deepEqual(looping(guard, header, ['u@b.example']), [false]);
  });

  test('maxPasses: as many exact stamps, or more of any kind', () => {
    const twice = guardWith({ maxPasses: 2 });
    const once = stamped(twice, ['u@b.example']);
    assert.deepEqual(looping(twice, once, ['u@b.example']), [false]);
    assert.deepEqual(looping(twice, stamped(twice, ['u@b.example'], { header: once }), ['u@b.example']), [true]);
    const mixed = stamped(twice, ['u@b.example', 'v@b.example'], { header: once });
    assert.deepEqual(looping(twice, mixed, ['u@b.example']), [false]);
    const third = stamped(twice, ['u@b.example', 'w@b.example'], { header: mixed });
    assert.deepEqual(looping(twice, third, ['u@b.example']), [true]);
  });
});

describe('who may not use a stamp', () => {
  const guard = guardWith();

  test('another message', () => {
    for (const other of [
      'Message-ID: <2@a.example>\nDate: Thu, 15 Jan 2026 12:00:00 +0000\n',
      'Message-ID: <1@a.example>\nDate: Thu, 15 Jan 2026 12:00:01 +0000\n',
      'Message-ID: <1@a.example>\n',
      'Date: Thu, 15 Jan 2026 12:00:00 +0000\n',
      'Subject: hello\n',
    ]) {
      const header = onTop(guard.stamp(MESSAGE, ['u@b.example'], NOW, ''), block(other));
      assert.deepEqual(looping(guard, header, ['u@b.example']), [false], other);
    }
  });

  test('a message that a person resent, and one resent twice', () => {
    const resent =
      'Resent-From: bob@b.example\nResent-Date: Fri, 16 Jan 2026 12:00:00 +0000\nResent-Message-ID: <r1@b>\n';
    const header = stamped(guard, ['u@b.example']);
    const first = onTop(resent.replaceAll('\n', '\r\n'), header);
    assert.deepEqual(looping(guard, first, ['u@b.example']), [false]);
    const back = stamped(guard, ['u@b.example'], { header: first });
    assert.deepEqual(looping(guard, back, ['u@b.example']), [true], 'the resent copy has its own stamps');
    const again = onTop(resent.replaceAll('r1@b', 'r2@b').replaceAll('\n', '\r\n'), back);
    assert.deepEqual(looping(guard, again, ['u@b.example']), [false]);
  });

  test('another cluster, even with the same keys, and another key of the same name', () => {
    const header = stamped(guard, ['u@b.example']);
    assert.deepEqual(looping(guardWith({ cluster: 'other' }), header, ['u@b.example']), [false]);
    assert.deepEqual(looping(guardWith({ keys: [key('k1', 2)] }), header, ['u@b.example']), [false]);
  });

  test('the past and the future', () => {
    const header = stamped(guard, ['u@b.example']);
    assert.deepEqual(looping(guard, header, ['u@b.example'], NOW + 13.9 * DAY), [true]);
    assert.deepEqual(looping(guard, header, ['u@b.example'], NOW + 14.1 * DAY), [false]);
    assert.deepEqual(looping(guard, header, ['u@b.example'], NOW - 0.9 * DAY), [true], 'clocks differ');
    assert.deepEqual(looping(guard, header, ['u@b.example'], NOW - 1.1 * DAY), [false]);
  });

  test('who changed anything in it', () => {
    const stamp = guard.stamp(MESSAGE, ['u@b.example'], NOW, 'alice@a.example');
    const value = stamp.slice(stamp.indexOf(':') + 1);
    for (let i = 0; i < value.length; i += 1) {
      const char = value[i]!;
      if (/\s/.test(char)) continue;
      const changed = stamp.slice(0, stamp.length - value.length + i) + (char === 'A' ? 'B' : 'A') + value.slice(i + 1);
      assert.deepEqual(looping(guard, onTop(changed, MESSAGE), ['u@b.example']), [false], changed);
    }
  });

  test('who reorders tags to make one stamp count as two', () => {
    const stamp = guard.stamp(MESSAGE, ['u@b.example', 'v@b.example'], NOW, 'alice@a.example');
    const tags = /r=([\s\S]*?);/.exec(stamp)![1]!;
    const turned = stamp.replace(tags, tags.replace(/\s/g, '').split(',').reverse().join(',\r\n '));
    assert.deepEqual(looping(guard, onTop(stamp + turned, MESSAGE), ['u@b.example']), [false]);
  });
});

describe('blind copies', () => {
  const guard = guardWith();
  const alice = 'alice@a.example';
  const mallory = 'mallory@b.example';
  const blind = 'blind@b.example';

  test('a stamp shows neither names nor numbers, nor their order', () => {
    const tagsOf = (recipients: readonly string[]): string[] => {
      const stamp = guard.stamp(MESSAGE, recipients, NOW, alice);
      assert.doesNotMatch(stamp, /example/);
      return /r=([\s\S]*?);/.exec(stamp)![1]!.replace(/\s/g, '').split(',');
    };
    const many = (count: number): string[] => Array.from({ length: count }, (_, i) => `u${i}@b.example`);
    for (const [count, size] of [
      [1, 8],
      [2, 8],
      [8, 8],
      [9, 16],
      [16, 16],
      [17, 32],
      [1000, 1024],
    ] as const) {
      const tags = tagsOf(many(count));
      assert.equal(tags.length, size);
      assert.deepEqual(tags, [...tags].sort());
      assert.equal(new Set(tags).size, size);
    }
    const shared = tagsOf([mallory, blind]).filter((tag) => tagsOf([mallory, blind]).includes(tag));
    assert.deepEqual(shared, [], 'two stamps of one message in one second have no tag in common');
  });

  test('who got one cannot find the others by replaying it, guess by guess or as the whole set', () => {
    const header = stamped(guard, [mallory, blind], { from: alice });
    for (const guess of [blind, 'innocent@b.example']) {
      for (const set of [[guess], [mallory, guess]]) {
        assert.deepEqual(
          looping(guard, header, set, NOW, mallory),
          set.map(() => false),
        );
        assert.deepEqual(
          looping(guard, header, set, NOW, ''),
          set.map(() => false),
        );
      }
    }
    assert.deepEqual(looping(guard, header, [mallory, blind], NOW, alice), [true, true], 'a real loop is still seen');
  });

  test('nor by having it stamped once more', () => {
    const first = stamped(guard, [mallory, blind], { from: alice });
    const verdicts = [blind, 'innocent@b.example'].map((guess) => {
      const second = stamped(guard, [mallory, guess], { header: first, from: mallory });
      return looping(guard, second, [guess], NOW, mallory);
    });
    assert.deepEqual(verdicts[0], verdicts[1]);
  });

  test('a stamp for one recipient holds under any reverse-path: lists and forwarders put their own', () => {
    const header = stamped(guard, ['u@b.example'], { from: alice });
    assert.deepEqual(looping(guard, header, ['u@b.example'], NOW, 'owner-list@b.example'), [true]);
  });
});

describe('what happens to a header on its way', () => {
  const guard = guardWith();
  const fresh = 'Message-ID: <new@b>\r\nDate: Fri, 16 Jan 2026 12:00:00 +0000\r\n';

  test('a missing Message-ID, Date or From is added, From is rewritten', () => {
    const cases: [before: string, added: string][] = [
      ['Subject: x\n', `${fresh}From: root@b\r\n`],
      ['From: a\nSubject: x\n', fresh],
      ['From: a\nDate: Thu, 15 Jan 2026 12:00:00 +0000\n', 'Message-ID: <new@b>\r\n'],
      ['From: a\nMessage-ID: <1@a>\n', 'Date: Fri, 16 Jan 2026 12:00:00 +0000\r\n'],
      ['Message-ID: <1@a>\nResent-From: bob\n', 'Resent-Message-ID: <new@b>\r\nResent-Date: today\r\n'],
      ['Message-ID: <1@a>\nResent-To: bob\n', 'Resent-Message-ID: <new@b>\r\nResent-From: x\r\n'],
    ];
    for (const [before, added] of cases) {
      const header = onTop(added, stamped(guard, ['u@b.example'], { header: block(before) }));
      assert.deepEqual(looping(guard, header, ['u@b.example']), [true], before);
    }
    const renamed = stamped(guard, ['u@b.example']).raw.toString('latin1').replace('alice@a', 'alice@public');
    assert.deepEqual(looping(guard, block(renamed), ['u@b.example']), [true]);
  });

  test('fields are folded anew and reordered', () => {
    const fieldsOf = (header: HeaderBlock): string[] => header.fields.map((field) => field.raw.toString('latin1'));
    const header = stamped(guard, ['u@b.example', 'v@b.example']);
    fc.assert(
      fc.property(
        fc.shuffledSubarray(fieldsOf(header), { minLength: 6 }),
        fc.infiniteStream(fc.nat(3)),
        (fields, folds: Iterator<number, number>) => {
          const refolded = fields.map((field) =>
            field.replace(/\r\n[ \t]/g, ' ').replace(/(?<=[;,:]) ?(?=[^\r])/g, (blank) => {
              const { value } = folds.next();
              return ['\r\n\t', '\r\n    ', blank, blank][value]!;
            }),
          );
          const again = HeaderBlock.parse(Buffer.from(refolded.join(''), 'latin1'));
          assert.deepEqual(looping(guard, again, ['u@b.example', 'v@b.example']), [true, true]);
        },
      ),
    );
  });

  test('a stamp on any other message matches nothing', () => {
    const id = fc.stringMatching(/^[a-z0-9]{1,8}$/);
    fc.assert(
      fc.property(id, id, (one, two) => {
        fc.pre(one !== two);
        const of = (name: string): HeaderBlock =>
          block(`Message-ID: <${name}@a>\nDate: Thu, 15 Jan 2026 12:00:00 +0000\n`);
        const header = onTop(guard.stamp(of(one), ['u@b.example'], NOW, ''), of(two));
        assert.deepEqual(looping(guard, header, ['u@b.example']), [false]);
      }),
    );
  });

  test('keys rotate while mail is on its way', () => {
    const header = stamped(guard, ['u@b.example']);
    assert.deepEqual(looping(guardWith({ keys: [key('k2', 2), key('k1', 1)] }), header, ['u@b.example']), [true]);
    assert.deepEqual(looping(guardWith({ keys: [key('k2', 2)] }), header, ['u@b.example']), [false]);
  });
});

describe('counts', () => {
  const guard = guardWith();
  const trace = { helo: 'a.example', address: '192.0.2.1', protocol: 'ESMTP', hostname: 'detach.example' };
  const passes = (count: number, by = guard): string =>
    Array.from({ length: count }, (_, i) => by.received({ ...trace, id: `T${i}` }, NOW)).join('');

  test('our own trace fields: ten may be there, whatever became of the stamps', () => {
    assert.equal(guard.inspect(onTop(passes(9), MESSAGE), ['u@b.example'], NOW, '').kind, 'pass');
    const refused = guard.inspect(onTop(passes(10), MESSAGE), ['u@b.example'], NOW, '');
    assert.equal(refused.kind, 'refuse');
    assert.equal(refused.fence, 'count');
    assert.equal(refused.failure, 'tooManyHops');
  });

  test('forged, foreign and copied ones do not count', () => {
    const one = guard.received({ ...trace, id: 'T0' }, NOW);
    const others = guardWith({ keys: [key('k1', 9)] });
    for (const fields of [
      one.repeat(30),
      passes(30, others),
      Array.from({ length: 30 }, (_, i) => one.replace('id T0', `id X${i}`)).join(''),
      Array.from({ length: 30 }, (_, i) => one.replace(/\/\w+\//, `/${(NOW + i).toString(36)}/`)).join(''),
    ]) {
      assert.equal(guard.inspect(onTop(fields, MESSAGE), ['u@b.example'], NOW, '').kind, 'pass');
    }
  });

  test('they are ours still when a hop folds them anew', () => {
    const refolded = passes(10)
      .replace(/\r\n\t/g, ' ')
      .replace(/ \(detach=/g, '\r\n     (detach=');
    assert.equal(guard.inspect(onTop(refolded, MESSAGE), ['u@b.example'], NOW, '').kind, 'refuse');
  });

  test('all Received fields', () => {
    const foreign = 'Received: from a by b; Thu, 15 Jan 2026 12:00:00 +0000\r\n';
    assert.equal(guard.inspect(onTop(foreign.repeat(49), MESSAGE), ['u@b.example'], NOW, '').kind, 'pass');
    assert.equal(guard.inspect(onTop(foreign.repeat(50), MESSAGE), ['u@b.example'], NOW, '').kind, 'refuse');
    assert.equal(guardWith({ hopLimit: 60 }).inspect(onTop(foreign.repeat(59), MESSAGE), [], NOW, '').kind, 'pass');
  });

  test('a trace field is safe, whatever the client says', () => {
    const hostile = { ...trace, helo: 'x\r\nBcc: y ü(;', address: ']\r\n\r\nx', id: 'a b;\r\n' };
    const field = guard.received(hostile, NOW);
    assert.match(field, /^Received: from x\?\?Bcc:\?y\?\?\?\? \(\[\?\?\?\?x\]\)\r\n\tby detach\.example /);
    assert.equal(HeaderBlock.parse(Buffer.from(field, 'latin1')).fields.length, 1);
    assert.match(
      guard.received({ ...trace, helo: '', address: '', id: 'T' }, NOW),
      /^Received: from unknown \(unknown\)\r\n/,
    );
    assert.match(guard.received({ ...trace, address: '2001:db8::1', id: 'T' }, NOW), / \(\[IPv6:2001:db8::1\]\)/);
    const long = guard.received({ ...trace, helo: 'h'.repeat(10_000), id: 'T' }, NOW);
    assert.ok(long.split('\r\n').every((line) => line.length <= 300));
  });
});

describe('hostile headers', () => {
  const guard = guardWith();

  test('any garbage in a stamp is ignored', () => {
    const real = guard.stamp(MESSAGE, ['u@b.example'], NOW, '');
    const garbage = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => `X-Detach-Guard:${Buffer.from(bytes).toString('latin1')}\r\n`),
      fc
        .tuple(fc.nat(real.length), fc.nat(real.length))
        .map(([a, b]) => `${real.slice(0, a)}${real.slice(b).trim()}\r\n`),
    );
    fc.assert(
      fc.property(fc.array(garbage, { maxLength: 5 }), (fields) => {
        fc.pre(!fields.some((field) => field.replace(/\s/g, '').includes(real.replace(/\s/g, ''))));
        const header = HeaderBlock.parse(Buffer.concat([Buffer.from(fields.join(''), 'latin1'), MESSAGE.raw]));
        assert.deepEqual(looping(guard, header, ['u@b.example'], NOW, ''), [false]);
      }),
      { numRuns: 1000 },
    );
  });

  test('thousands of fakes above a real stamp of a loop, and thousands below it', () => {
    const fake = (i: number): string =>
      guard
        .stamp(MESSAGE, ['u@b.example'], NOW, '')
        .replace(/m=.{11}/, `m=${randomBytes(9).toString('base64url').slice(0, 11)}`) +
      (i % 2 ? 'X-Detach-Guard: v=1; c=lab; nonsense\r\n' : '');
    const fakes = Array.from({ length: 5000 }, (_, i) => fake(i)).join('');
    const below = HeaderBlock.parse(Buffer.concat([Buffer.from(fakes, 'latin1'), MESSAGE.raw]));
    assert.deepEqual(looping(guard, below, ['u@b.example']), [false]);
    assert.deepEqual(looping(guard, stamped(guard, ['u@b.example'], { header: below }), ['u@b.example']), [true]);
  });

  test('the work is bounded by the bytes: fakes are examined up to a limit', () => {
    const stamps = Array.from({ length: 200 }, () => guard.stamp(MESSAGE, ['x@b.example'], NOW, '')).join('');
    const loop = guard.stamp(MESSAGE, ['u@b.example'], NOW, '');
    assert.deepEqual(looping(guard, onTop(loop + stamps, MESSAGE), ['u@b.example']), [true], 'on top, as loops put it');
    assert.deepEqual(looping(guard, onTop(stamps + loop, MESSAGE), ['u@b.example']), [false], 'not looked for below');
  });

  test('no line of a stamp is longer than 78 characters, with any names', () => {
    const odd = guardWith({ cluster: 'Büro; r=x, y', keys: [key('a;b c', 1)] });
    for (const count of [1, 9, 100]) {
      const stamp = odd.stamp(
        MESSAGE,
        Array.from({ length: count }, (_, i) => `u${i}@b.example`),
        NOW,
        '',
      );
      assert.ok(stamp.endsWith('\r\n'));
      assert.ok(
        stamp.split('\r\n').every((line) => line.length <= 78),
        stamp,
      );
      assert.equal(HeaderBlock.parse(Buffer.from(stamp, 'latin1')).fields.length, 1);
    }
    assert.deepEqual(looping(odd, stamped(odd, ['u@b.example']), ['u@b.example']), [true]);
  });
});
