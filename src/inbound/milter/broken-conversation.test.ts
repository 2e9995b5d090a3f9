import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { start } from './testing/harness.ts';
import { hello, say } from './testing/mail-server.ts';

suite('a broken conversation ends the connection, with a reason and nothing else', () => {
  const cases: Record<string, { readonly bytes: Buffer; readonly reason: RegExp }> = {
    'an unknown command': { bytes: Buffer.concat([hello, say.raw('Z')]), reason: /unknown command "Z"/ },
    'no negotiation': { bytes: say.helo('x'), reason: /before the negotiation/ },
    'a recipient without a sender': { bytes: Buffer.concat([hello, say.rcpt('<a>')]), reason: /rcpt without mail/ },
    'a body without a header': {
      bytes: Buffer.concat([hello, say.mail('<>'), say.body('x')]),
      reason: /body before the end of the header/,
    },
    'a header within the body': {
      bytes: Buffer.concat([hello, say.mail('<>'), say.endOfHeader(), say.header('a', 'b')]),
      reason: /header within a message/,
    },
    'a length of 4 GiB': { bytes: Buffer.alloc(4, 0xff), reason: /4294967295 bytes/ },
    'an old version': { bytes: say.negotiate({ version: 1, actions: 0x1f, steps: 0 }), reason: /version 1 is too old/ },
    'a server that forbids changes': {
      bytes: say.negotiate({ version: 6, actions: 0x04, steps: 0 }),
      reason: /does not let a filter change/,
    },
  };
  for (const [name, { bytes, reason }] of Object.entries(cases))
    for (const cut of [undefined, 1])
      test(`${name}, ${cut === undefined ? 'whole' : 'one byte at a time'}`, async (t) => {
        const { open, events } = await start(t);
        const peer = open();
        await peer.write(bytes, cut);
        while (await peer.packet());
        assert.equal(events.length, 1);
        assert.equal(events[0]?.kind, 'protocol-error');
        assert.match(events[0].reason, reason);
      });
});
