import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DetachInstance } from '../../harness/detach-mta.ts';
import { freePort } from '../../harness/ports.ts';
import type { PostfixInstance } from '../../harness/postfix.ts';
import { Scenario } from '../../harness/scenario.ts';
import type { Sink } from '../../harness/sink.ts';
import * as topology from './topology.ts';
import type { ServerOptions } from './topology.ts';

const alice = 'alice@a.example';
const team = 'team@b.example';

interface Lists {
  readonly a: PostfixInstance;
  readonly servers: readonly PostfixInstance[];
  readonly filters: readonly DetachInstance[];
  readonly mailboxes: Sink;
}

/** Copies by mailbox. */
function copies(mailboxes: Sink): Readonly<Record<string, number>> {
  const count: Record<string, number> = {};
  for (const user of mailboxes.messages.flatMap(({ to }) => to)) count[user] = (count[user] ?? 0) + 1;
  return count;
}

/** A and B, each with mailboxes and aliases, and the filter of one cluster between them in both directions. */
async function startBothWays(
  scenario: Scenario,
  aliases: { readonly a?: ServerOptions['aliases']; readonly b: ServerOptions['aliases'] },
): Promise<Lists> {
  const mailboxes = await topology.startMailboxes(scenario);
  const loopguard = topology.cluster('lists');
  const [portA, portB] = [await freePort(), await freePort()];
  const filters = [
    await topology.startFilter(scenario, { nextHop: portB, loopguard }),
    await topology.startFilter(scenario, { nextHop: portA, loopguard }),
  ] as const;
  const server = (
    name: string,
    port: number,
    relay: number,
    table: ServerOptions['aliases'],
  ): Promise<PostfixInstance> =>
    topology.startServer(scenario, {
      name,
      port,
      domains: [`${name}.example`],
      mailboxes,
      relay,
      ...(table ? { aliases: table } : {}),
    });
  const a = await server('a', portA, filters[0].port, aliases.a);
  const b = await server('b', portB, filters[1].port, aliases.b);
  return { a, servers: [a, b], filters, mailboxes };
}

test('a list at B with the sender and others at A and B: each gets it once, no alarm', async (t) => {
  const lists = await startBothWays(new Scenario(t), {
    b: { [team]: [alice, 'bob@a.example', 'carol@b.example', 'dave@b.example'] },
  });
  const ms = await topology.sendAndSettle(topology.letter(lists.a.port, alice, [team]), lists.servers);
  assert.deepEqual(copies(lists.mailboxes), {
    [alice]: 1,
    'bob@a.example': 1,
    'carol@b.example': 1,
    'dave@b.example': 1,
  });
  assert.deepEqual(topology.fences(...lists.filters), []);
  topology.tell(t, 'list at B, guard', { arrivals: topology.arrivals(...lists.filters), bounces: 0, ms });
});

test('a list at B with a list at A in it: each gets it once, no alarm', async (t) => {
  const lists = await startBothWays(new Scenario(t), {
    a: { 'staff@a.example': [alice, 'bob@a.example', 'carol@b.example'] },
    b: { 'all@b.example': ['staff@a.example', 'dave@b.example'] },
  });
  const ms = await topology.sendAndSettle(topology.letter(lists.a.port, alice, ['all@b.example']), lists.servers);
  assert.deepEqual(copies(lists.mailboxes), {
    [alice]: 1,
    'bob@a.example': 1,
    'carol@b.example': 1,
    'dave@b.example': 1,
  });
  assert.deepEqual(topology.fences(...lists.filters), []);
  topology.tell(t, 'list in a list, guard', { arrivals: topology.arrivals(...lists.filters), bounces: 0, ms });
});

test('a list that is a member of itself by way of another one: everybody gets it, the circle is reported once', async (t) => {
  const lists = await startBothWays(new Scenario(t), {
    a: { 'staff@a.example': ['bob@a.example', 'all@b.example'] },
    b: { 'all@b.example': ['staff@a.example', 'dave@b.example'] },
  });
  const ms = await topology.sendAndSettle(topology.letter(lists.a.port, alice, ['all@b.example']), lists.servers);
  assert.deepEqual(copies(lists.mailboxes), { 'bob@a.example': 1, 'dave@b.example': 1, [alice]: 1 });
  assert.equal(topology.reportsTo(lists.mailboxes, alice).length, 1);
  topology.tell(t, 'list that contains itself, guard', {
    arrivals: topology.arrivals(...lists.filters),
    bounces: 1,
    ms,
  });
});

/**
 * A → filter → B, where a list server behind B sends what it expands through the filter again: with the author's
 * reverse-path as an alias does, or with its own as list managers do.
 */
async function startListServer(
  scenario: Scenario,
  members: readonly string[],
  kind: 'alias' | 'list manager',
): Promise<Lists & { readonly filter: DetachInstance }> {
  const mailboxes = await topology.startMailboxes(scenario);
  const portB = await freePort();
  const filter = await topology.startFilter(scenario, { nextHop: portB });
  const expand =
    kind === 'alias'
      ? { aliases: { 'team@lists.example': members } }
      : {
          settings: {
            mydestination: 'lists.example',
            alias_maps: 'texthash:$config_directory/lists',
            local_recipient_maps: '',
          },
          files: { lists: `team ${members.join(', ')}\nowner-team ${alice}\n` },
        };
  const list = await topology.startServer(scenario, { name: 'list', mailboxes, relay: filter.port, ...expand });
  const b = await topology.startServer(scenario, {
    name: 'b',
    dir: 'postfix-b',
    port: portB,
    domains: ['a.example', 'b.example'],
    mailboxes,
    settings: { transport_maps: `inline:{ { lists.example = smtp:[127.0.0.1]:${list.port} } }` },
  });
  const a = await topology.startServer(scenario, { name: 'a', mailboxes, relay: filter.port });
  return { a, servers: [a, b, list], filters: [filter], filter, mailboxes };
}

const memberships: readonly (readonly string[])[] = [
  ['dave@b.example', 'carol@b.example', alice],
  // The list's copy is for him alone: still not the set that the stamp was made for.
  ['dave@b.example'],
];

for (const kind of ['alias', 'list manager'] as const) {
  for (const members of memberships) {
    test(`to a list (${kind}) and to its member: ${members.length} of the list, the list’s copy comes through again`, async (t) => {
      const lists = await startListServer(new Scenario(t), members, kind);
      const to = ['team@lists.example', 'dave@b.example'];
      const ms = await topology.sendAndSettle(topology.letter(lists.a.port, alice, to), lists.servers);
      const expected = Object.fromEntries(members.map((member) => [member, member === 'dave@b.example' ? 2 : 1]));
      assert.deepEqual(copies(lists.mailboxes), expected, 'addressed and subscribed: two, as always');
      assert.deepEqual(topology.fences(lists.filter), []);
      topology.tell(t, `list (${kind}) and its member, guard`, {
        arrivals: topology.arrivals(lists.filter),
        bounces: 0,
        ms,
      });
    });
  }
}
