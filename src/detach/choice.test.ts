/** What operator and sender choose: addresses on the lists, the field of a sender, the place of the notice. */
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { Lab } from './testing/lab.ts';
import { base64, crlf } from './testing/messages.ts';

const letter = (field?: string): Buffer =>
  crlf(
    'From: ann@a.example',
    ...(field === undefined ? [] : [field]),
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    '',
    'New.\r\n\r\nOn 3 May 2021, Bob <bob@b.example> wrote:\r\n> old\r\n\r\n-- \r\nAnn',
    '--b',
    'Content-Type: application/pdf; name=a.pdf',
    'Content-Transfer-Encoding: base64',
    '',
    base64(Buffer.alloc(4000, 'x')),
    '--b--',
  );

const labs: Lab[] = [];
after(() => Promise.all(labs.map((lab) => lab.close())));
function labWith(...options: ConstructorParameters<typeof Lab>): Lab {
  const lab = new Lab(...options);
  labs.push(lab);
  return lab;
}

suite('the field with which a sender keeps the files', () => {
  const lab = labWith({ rules: { optOut: { field: 'X-Detach', senders: ['ann@a.example', '.c.example'] } } });
  const cases: readonly (readonly [field: string | undefined, reversePath: string, stays: boolean])[] = [
    ['X-Detach: no', 'ann@a.example', true],
    ['x-detach:  NO ', 'Ann@A.example', true],
    ['X-Detach:\r\n no', 'ann@a.example', true],
    ['X-Detach: no', 'x@d.c.example', true],
    ['X-Detach: no', 'x@c.example', false],
    ['X-Detach: no', 'bob@a.example', false],
    ['X-Detach: no', 'ann@a.example.evil.example', false],
    ['X-Detach: yes', 'ann@a.example', false],
    ['X-Detach: nothing', 'ann@a.example', false],
    ['X-Detached: no', 'ann@a.example', false],
    [undefined, 'ann@a.example', false],
  ];
  for (const [field, reversePath, stays] of cases)
    test(`${JSON.stringify(field)} of ${reversePath}: the file ${stays ? 'stays' : 'goes'}`, async () => {
      const original = letter(field);
      const { files, message } = await lab.detach(original, { reversePath, recipients: ['u@b.example'] });
      assert.equal(files.length, stays ? 0 : 1);
      if (stays) assert.deepEqual(message, original);
    });
});

test('the field means nothing before the operator names it', async () => {
  const { files } = await labWith().detach(letter('X-Detach: no'));
  assert.equal(files.length, 1);
});

suite('links.position', () => {
  const places = {
    newest: /^New\.\s+Attached to this .*AAAA\s+On 3 May/s,
    top: /^Attached to this .*AAAA\s+New\./s,
    end: /> old\s+-- \s+Ann\s+Attached to this .*AAAA\s*$/s,
  };
  for (const [position, expected] of Object.entries(places))
    test(position, async () => {
      const lab = labWith({ links: { position: position as keyof typeof places } });
      const original = letter();
      const { message } = await lab.detach(original);
      assert.deepEqual(await lab.restore(message), original);
      const [, part = ''] = message.toString('latin1').split(/--b(?:--)?\r\n/);
      const text = part.replace(/https:\S+/g, 'AAAA');
      assert.match(text.trim(), expected);
    });
});
