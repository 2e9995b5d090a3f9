import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asTyped, readCommandLine, WrongUse } from './command-line.ts';

test('an option that would do nothing is refused, and not passed over', () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['send FILE --once', /--once does not go with send/],
    ['stop --directory', /--directory does not go with stop/],
    ['break --settings university', /--settings does not go with break/],
    ['milter --bandwidth 1mbit', /--bandwidth does not go with milter/],
    ['--loss 1%', /--loss does not go with this/],
    ['--two-nodes --home DIR', /--home does not go with --two-nodes/],
    ['--once --home DIR', /--once has a home of its own/],
    ['--nonsense', /Unknown option '--nonsense'/],
    ['--home', /argument missing/],
  ];
  for (const [line, words] of wrong) {
    assert.throws(
      () => readCommandLine(line.split(' ')),
      (error) => error instanceof WrongUse && words.test(error.message),
      line,
    );
  }
});

test('what belongs together is taken', () => {
  const right = [
    '',
    'milter --directory --once',
    '--two-nodes --loss 1% --once',
    'send FILE bob --home /x',
    'break loop',
  ];
  for (const line of right) readCommandLine(line.split(' ').filter(Boolean));
  assert.equal(readCommandLine([]).command, 'relayhost');
  assert.deepEqual(readCommandLine(['--two-nodes', 'milter']).rest, ['milter']);
});

test('names of files are meant from where npm was called', (t) => {
  const before = process.env['INIT_CWD'];
  t.after(() => {
    if (before === undefined) delete process.env['INIT_CWD'];
    else process.env['INIT_CWD'] = before;
  });
  process.env['INIT_CWD'] = '/somewhere/docs';
  assert.equal(asTyped('pictures/notice.png'), '/somewhere/docs/pictures/notice.png');
  assert.equal(asTyped('/absolute'), '/absolute');
  assert.equal(readCommandLine(['stop', '--home', 'mine']).values.home, '/somewhere/docs/mine');
});
