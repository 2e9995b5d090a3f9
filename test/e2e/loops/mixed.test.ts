import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stuff } from '../../harness/dot-stuffing.ts';
import { freePort } from '../../harness/ports.ts';
import { Scenario } from '../../harness/scenario.ts';
import { startSink } from '../../harness/sink.ts';
import { SmtpDialog } from '../../harness/smtp-dialog.ts';
import { body, fresh, lettersAt, looping, reportsAt, returnedLetter, sender } from './mixed-letter.ts';
import * as topology from './topology.ts';

for (const [what, from, reports] of [
  ['the sender gets one report', 'alice@a.example', 1],
  ['nobody is told about null-sender mail', '', 0],
] as const) {
  test(`some recipients loop and others do not, on real servers: the others get it, ${what}`, async (t) => {
    const scenario = new Scenario(t);
    const mailboxes = await topology.startMailboxes(scenario);
    const [portA, portB] = [await freePort(), await freePort()];
    const loopguard = topology.cluster('both-ways');
    const toB = await topology.startFilter(scenario, { nextHop: portB, loopguard });
    const toA = await topology.startFilter(scenario, { nextHop: portA, loopguard });
    const a = await topology.startServer(scenario, {
      name: 'a',
      port: portA,
      domains: ['a.example'],
      mailboxes,
      relay: toB.port,
      aliases: { 'u@a.example': ['v@b.example', 'w@b.example'] },
    });
    const b = await topology.startServer(scenario, {
      name: 'b',
      port: portB,
      domains: ['b.example'],
      mailboxes,
      relay: toA.port,
      aliases: { 'v@b.example': ['u@a.example'] },
    });
    const ms = await topology.sendAndSettle(topology.letter(a.port, from, ['v@b.example']), [a, b]);
    const [copy, ...more] = topology.mailOf(mailboxes, 'w@b.example');
    assert.ok(copy && more.length === 0);
    const told = topology.reportsTo(mailboxes, 'alice@a.example');
    assert.equal(told.length, reports);
    assert.equal(mailboxes.messages.length, 1 + reports);
    assert.deepEqual(topology.fences(toB, toA), ['stamp']);
    const mixed = topology.transactions(toB).find(({ outcome }) => outcome === 'partial');
    assert.deepEqual(
      mixed?.recipients.map(({ path, reply }) => [path, reply.slice(0, 3)]),
      [
        ['<v@b.example>', '554'],
        ['<w@b.example>', '250'],
      ],
    );
    if (told[0]) {
      assert.match(told[0], /^Reporting-MTA: dns; detach\.example\.net\r$/m);
      assert.match(told[0], /^Diagnostic-Code: smtp; 554 5\.4\.6 mail forwarding loop for <v@b\.example>\r$/m);
      assert.doesNotMatch(told[0], /Final-Recipient: rfc822; w@/);
    }
    topology.tell(t, `mixed, from <${from}>, guard`, {
      arrivals: topology.transactions(toB, toA).filter((each) => each.from === `<${from}>`).length,
      bounces: told.length,
      ms,
    });
  });
}

interface Case {
  readonly what: string;
  readonly mail?: string;
  /** Parameters of u1, u2, which loop, and u3. */
  readonly rcpt?: readonly [string, string, string];
  /** Who stands in the report; nobody: there must be none. */
  readonly told: readonly string[];
  readonly report?: readonly RegExp[];
}

const [u1, u2] = looping;

const cases: readonly Case[] = [
  { what: 'no parameters', told: [u1, u2], report: [/^Content-Type: multipart\/report; report-type=delivery-status/m] },
  {
    what: 'ENVID, RET and ORCPT',
    mail: 'RET=HDRS ENVID=QQ+2B1',
    rcpt: ['ORCPT=rfc822;first+40old.example', '', ''],
    told: [u1, u2],
    report: [
      /^Original-Envelope-Id: QQ\+1\r$/m,
      /^Original-Recipient: rfc822; ?first@old\.example\r\nFinal-Recipient: rfc822; u1@far\.example\r$/m,
    ],
  },
  { what: 'NOTIFY=NEVER for one', rcpt: ['NOTIFY=NEVER', '', ''], told: [u2] },
  {
    what: 'NOTIFY=FAILURE for one, SUCCESS for the other',
    rcpt: ['NOTIFY=FAILURE,DELAY', 'NOTIFY=SUCCESS', ''],
    told: [u1],
  },
  { what: 'NOTIFY=NEVER for both', rcpt: ['NOTIFY=NEVER', 'NOTIFY=NEVER', ''], told: [] },
  { what: 'NOTIFY=NEVER for who does not loop', rcpt: ['', '', 'NOTIFY=NEVER'], told: [u1, u2] },
];

test('one report honours NOTIFY, RET, ENVID and ORCPT', async (t) => {
  const scenario = new Scenario(t);
  const world = await scenario.use(startSink());
  const filter = await topology.startFilter(scenario, { nextHop: world.port });
  for (const { what, mail = '', rcpt = ['', '', ''], told, report = [] } of cases) {
    const message = await returnedLetter(filter, world);
    const dialog = await SmtpDialog.open(filter.port);
    await dialog.expect(250, 'EHLO client.example.net');
    await dialog.expect(250, `MAIL FROM:<${sender}> ${mail}`.trimEnd());
    for (const [i, path] of [...looping, fresh].entries()) {
      await dialog.expect(250, `RCPT TO:<${path}> ${rcpt[i] ?? ''}`.trimEnd());
    }
    await dialog.expect(354, 'DATA');
    await dialog.write(stuff(message));
    await dialog.expect(250, '.');
    await dialog.quit();

    const [letter, ...letters] = lettersAt(world);
    assert.ok(letter && letters.length === 0, what);
    assert.deepEqual(letter.to, [fresh], what);
    assert.equal(letter.rcptLines[0], `RCPT TO:<${fresh}> ${rcpt[2]}`.trimEnd());
    assert.ok(letter.data.includes(body));
    const reports = reportsAt(world);
    assert.equal(reports.length, told.length > 0 ? 1 : 0, what);
    if (reports[0]) {
      const text = reports[0].data.toString('latin1');
      assert.deepEqual(reports[0].to, [sender]);
      const finals = [...text.matchAll(/^Final-Recipient: rfc822; (.*)\r$/gm)].map(([, path]) => path);
      assert.deepEqual(finals, told, what);
      for (const pattern of report) assert.match(text, pattern, what);
    }
    world.messages.length = 0;
  }
});

test('a report that cannot reach the sender goes round once and ends', async (t) => {
  const scenario = new Scenario(t);
  const mailboxes = await topology.startMailboxes(scenario);
  const port = await freePort();
  const filter = await topology.startFilter(scenario, { nextHop: port });
  // A sends everything to the filter and gets everything back but Wendy’s mail; Alice’s goes round like the rest.
  const a = await topology.startServer(scenario, {
    name: 'a',
    port,
    mailboxes,
    relay: filter.port,
    aliases: { 'u@far.example': ['u@far.example', 'w@far.example'] },
  });
  await topology.sendAndSettle(topology.letter(a.port, 'alice@far.example', ['u@far.example']), [a]);
  assert.equal(mailboxes.messages.length, 0);
  const reports = topology.transactions(filter).filter(({ from }) => from === '<>');
  assert.ok(reports.length > 0 && reports.at(-1)?.outcome === 'refused');
  assert.ok(topology.transactions(filter).length <= 8, JSON.stringify(topology.transactions(filter), undefined, 1));
});
