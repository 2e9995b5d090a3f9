// What nobody can do with a stamp: use another's, learn from it who else got the message, or have us drown in fakes.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from '../../test/harness/property.ts';
import { HeaderBlock } from '../message/header-block.ts';
import { block, guardWith, key, looping, sampleMessage, sampleTime, onTop, stamped } from './testing/guard.ts';

const day = 86_400_000;

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
      const header = onTop(
        guard.stamp(sampleMessage, { recipients: ['u@b.example'], reversePath: '', now: sampleTime }),
        block(other),
      );
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
    assert.deepEqual(looping(guard, header, ['u@b.example'], { at: sampleTime + 13.9 * day }), [true]);
    assert.deepEqual(looping(guard, header, ['u@b.example'], { at: sampleTime + 14.1 * day }), [false]);
    assert.deepEqual(looping(guard, header, ['u@b.example'], { at: sampleTime - 0.9 * day }), [true], 'clocks differ');
    assert.deepEqual(looping(guard, header, ['u@b.example'], { at: sampleTime - 1.1 * day }), [false]);
  });

  test('who changed anything in it', () => {
    const stamp = guard.stamp(sampleMessage, {
      recipients: ['u@b.example'],
      reversePath: 'alice@a.example',
      now: sampleTime,
    });
    const value = stamp.slice(stamp.indexOf(':') + 1);
    for (let i = 0; i < value.length; i += 1) {
      const char = value[i]!;
      if (/\s/.test(char)) continue;
      const changed = stamp.slice(0, stamp.length - value.length + i) + (char === 'A' ? 'B' : 'A') + value.slice(i + 1);
      assert.deepEqual(looping(guard, onTop(changed, sampleMessage), ['u@b.example']), [false], changed);
    }
  });

  test('who reorders tags to make one stamp count as two', () => {
    const stamp = guard.stamp(sampleMessage, {
      recipients: ['u@b.example', 'v@b.example'],
      reversePath: 'alice@a.example',
      now: sampleTime,
    });
    const tags = /r=([\s\S]*?);/.exec(stamp)![1]!;
    const turned = stamp.replace(tags, tags.replace(/\s/g, '').split(',').reverse().join(',\r\n '));
    assert.deepEqual(looping(guard, onTop(stamp + turned, sampleMessage), ['u@b.example']), [false]);
  });
});

describe('blind copies', () => {
  const guard = guardWith();
  const alice = 'alice@a.example';
  const mallory = 'mallory@b.example';
  const blind = 'blind@b.example';

  const tagsOf = (recipients: readonly string[]): string[] => {
    const stamp = guard.stamp(sampleMessage, { recipients, reversePath: alice, now: sampleTime });
    assert.doesNotMatch(stamp, /example/);
    return /r=([\s\S]*?);/.exec(stamp)![1]!.replace(/\s/g, '').split(',');
  };

  test('a stamp shows neither names nor numbers, nor their order', () => {
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

  test('tags that stand for nobody are 64 bits like the others, and none comes twice', () => {
    const tags = Array.from({ length: 300 }, () => tagsOf([mallory])).flat();
    for (const tag of tags) {
      const bits = Buffer.from(tag, 'base64url');
      assert.equal(bits.length, 8);
      assert.equal(bits.toString('base64url'), tag, 'no character that eight bytes do not give');
    }
    assert.equal(new Set(tags).size, tags.length);
  });

  test('who got one cannot find the others by replaying it, guess by guess or as the whole set', () => {
    const header = stamped(guard, [mallory, blind], { from: alice });
    for (const guess of [blind, 'innocent@b.example']) {
      for (const set of [[guess], [mallory, guess]]) {
        assert.deepEqual(
          looping(guard, header, set, { from: mallory }),
          set.map(() => false),
        );
        assert.deepEqual(
          looping(guard, header, set, { from: '' }),
          set.map(() => false),
        );
      }
    }
    assert.deepEqual(
      looping(guard, header, [mallory, blind], { from: alice }),
      [true, true],
      'a real loop is still seen',
    );
  });

  test('nor by having it stamped once more', () => {
    const first = stamped(guard, [mallory, blind], { from: alice });
    const verdicts = [blind, 'innocent@b.example'].map((guess) => {
      const second = stamped(guard, [mallory, guess], { header: first, from: mallory });
      return looping(guard, second, [guess], { from: mallory });
    });
    assert.deepEqual(verdicts[0], verdicts[1]);
  });

  test('a stamp for one recipient holds under any reverse-path: lists and forwarders put their own', () => {
    const header = stamped(guard, ['u@b.example'], { from: alice });
    assert.deepEqual(looping(guard, header, ['u@b.example'], { from: 'owner-list@b.example' }), [true]);
  });
});

describe('hostile headers', () => {
  const guard = guardWith();

  test('any garbage in a stamp is ignored', () => {
    const real = guard.stamp(sampleMessage, { recipients: ['u@b.example'], reversePath: '', now: sampleTime });
    const garbage = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => `X-Detach-Guard:${Buffer.from(bytes).toString('latin1')}\r\n`),
      fc
        .tuple(fc.nat(real.length), fc.nat(real.length))
        .map(([a, b]) => `${real.slice(0, a)}${real.slice(b).trim()}\r\n`),
    );
    fc.assert(
      fc.property(fc.array(garbage, { maxLength: 5 }), (fields) => {
        fc.pre(!fields.some((field) => field.replace(/\s/g, '').includes(real.replace(/\s/g, ''))));
        const header = HeaderBlock.parse(Buffer.concat([Buffer.from(fields.join(''), 'latin1'), sampleMessage.raw]));
        assert.deepEqual(looping(guard, header, ['u@b.example'], { from: '' }), [false]);
      }),
      { numRuns: 1000 },
    );
  });

  test('thousands of fakes above a real stamp of a loop, and thousands below it', () => {
    const fake = (i: number): string =>
      guard
        .stamp(sampleMessage, { recipients: ['u@b.example'], reversePath: '', now: sampleTime })
        .replace(/m=.{11}/, `m=${randomBytes(9).toString('base64url').slice(0, 11)}`) +
      (i % 2 ? 'X-Detach-Guard: v=1; c=lab; nonsense\r\n' : '');
    const fakes = Array.from({ length: 5000 }, (_, i) => fake(i)).join('');
    const below = HeaderBlock.parse(Buffer.concat([Buffer.from(fakes, 'latin1'), sampleMessage.raw]));
    assert.deepEqual(looping(guard, below, ['u@b.example']), [false]);
    assert.deepEqual(looping(guard, stamped(guard, ['u@b.example'], { header: below }), ['u@b.example']), [true]);
  });

  test('the work is bounded by the bytes: fakes are examined up to a limit', () => {
    const stamps = Array.from({ length: 200 }, () =>
      guard.stamp(sampleMessage, { recipients: ['x@b.example'], reversePath: '', now: sampleTime }),
    ).join('');
    const loop = guard.stamp(sampleMessage, { recipients: ['u@b.example'], reversePath: '', now: sampleTime });
    assert.deepEqual(
      looping(guard, onTop(loop + stamps, sampleMessage), ['u@b.example']),
      [true],
      'on top, as loops put it',
    );
    assert.deepEqual(
      looping(guard, onTop(stamps + loop, sampleMessage), ['u@b.example']),
      [false],
      'not looked for below',
    );
  });

  test('no line of a stamp is longer than 78 characters, with any names', () => {
    const odd = guardWith({ cluster: 'Büro; r=x, y', keys: [key('a;b c', 1)] });
    for (const count of [1, 9, 100]) {
      const stamp = odd.stamp(sampleMessage, {
        recipients: Array.from({ length: count }, (_, i) => `u${i}@b.example`),
        reversePath: '',
        now: sampleTime,
      });
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
