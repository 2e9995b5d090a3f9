import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from '../../test/harness/property.ts';
import { HeaderBlock } from '../message/header-block.ts';
import { block, guardWith, key, looping, sampleMessage, sampleTime, onTop, stamped } from './testing/guard.ts';

describe('who loops', () => {
  const guard = guardWith();

  test('nobody in a message without stamps', () => {
    assert.deepEqual(looping(guard, sampleMessage, ['u@b.example', 'v@b.example']), [false, false]);
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
    const stamp = guard.stamp(sampleMessage, {
      recipients: ['u@b.example', 'v@b.example'],
      reversePath: 'alice@a.example',
      now: sampleTime,
    });
    const header = onTop(stamp + stamp + stamp, sampleMessage);
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
        const header = onTop(
          guard.stamp(of(one), { recipients: ['u@b.example'], reversePath: '', now: sampleTime }),
          of(two),
        );
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
    Array.from({ length: count }, (_, i) => by.received({ ...trace, id: `T${i}` }, sampleTime)).join('');

  test('our own trace fields: ten may be there, whatever became of the stamps', () => {
    assert.equal(
      guard.inspect(onTop(passes(9), sampleMessage), { recipients: ['u@b.example'], reversePath: '', now: sampleTime })
        .kind,
      'pass',
    );
    const refused = guard.inspect(onTop(passes(10), sampleMessage), {
      recipients: ['u@b.example'],
      reversePath: '',
      now: sampleTime,
    });
    assert.equal(refused.kind, 'refuse');
    assert.equal(refused.fence, 'count');
    assert.equal(refused.failure, 'tooManyHops');
  });

  test('forged, foreign and copied ones do not count', () => {
    const one = guard.received({ ...trace, id: 'T0' }, sampleTime);
    const others = guardWith({ keys: [key('k1', 9)] });
    for (const fields of [
      one.repeat(30),
      passes(30, others),
      Array.from({ length: 30 }, (_, i) => one.replace('id T0', `id X${i}`)).join(''),
      Array.from({ length: 30 }, (_, i) => one.replace(/\/\w+\//, `/${(sampleTime + i).toString(36)}/`)).join(''),
    ]) {
      assert.equal(
        guard.inspect(onTop(fields, sampleMessage), { recipients: ['u@b.example'], reversePath: '', now: sampleTime })
          .kind,
        'pass',
      );
    }
  });

  test('they are ours still when a hop folds them anew', () => {
    const refolded = passes(10)
      .replace(/\r\n\t/g, ' ')
      .replace(/ \(detach=/g, '\r\n     (detach=');
    assert.equal(
      guard.inspect(onTop(refolded, sampleMessage), { recipients: ['u@b.example'], reversePath: '', now: sampleTime })
        .kind,
      'refuse',
    );
  });

  test('all Received fields', () => {
    const foreign = 'Received: from a by b; Thu, 15 Jan 2026 12:00:00 +0000\r\n';
    assert.equal(
      guard.inspect(onTop(foreign.repeat(49), sampleMessage), {
        recipients: ['u@b.example'],
        reversePath: '',
        now: sampleTime,
      }).kind,
      'pass',
    );
    assert.equal(
      guard.inspect(onTop(foreign.repeat(50), sampleMessage), {
        recipients: ['u@b.example'],
        reversePath: '',
        now: sampleTime,
      }).kind,
      'refuse',
    );
    assert.equal(
      guardWith({ hopLimit: 60 }).inspect(onTop(foreign.repeat(59), sampleMessage), {
        recipients: [],
        reversePath: '',
        now: sampleTime,
      }).kind,
      'pass',
    );
  });

  test('a trace field is safe, whatever the client says', () => {
    const hostile = { ...trace, helo: 'x\r\nBcc: y ü(;', address: ']\r\n\r\nx', id: 'a b;\r\n' };
    const field = guard.received(hostile, sampleTime);
    assert.match(field, /^Received: from x\?\?Bcc:\?y\?\?\?\? \(\[\?\?\?\?x\]\)\r\n\tby detach\.example /);
    assert.equal(HeaderBlock.parse(Buffer.from(field, 'latin1')).fields.length, 1);
    assert.match(
      guard.received({ ...trace, helo: '', address: '', id: 'T' }, sampleTime),
      /^Received: from unknown \(unknown\)\r\n/,
    );
    assert.match(
      guard.received({ ...trace, address: '2001:db8::1', id: 'T' }, sampleTime),
      / \(\[IPv6:2001:db8::1\]\)/,
    );
    const long = guard.received({ ...trace, helo: 'h'.repeat(10_000), id: 'T' }, sampleTime);
    assert.ok(long.split('\r\n').every((line) => line.length <= 300));
  });
});
