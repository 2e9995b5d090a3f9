/**
 * Requests made to hold the event loop of the readers' process, whose pages are of a message that was made for it too.
 * While one of them is answered, nobody else is.
 */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildMessage } from '../harness/build-message.ts';
import { startDetach } from '../harness/detach-mta.ts';
import { randomBytes } from '../harness/random.ts';
import { Scenario } from '../harness/scenario.ts';
import { sendMail } from '../harness/send-mail.ts';
import { startSink } from '../harness/sink.ts';
import { assertShort, holdsIn, probedIn } from './attack-loop.ts';
import { closedDirectory, linkIn } from './chain.ts';

const files = 400;
const fileSize = 2000;
/** Nearly all that Node's server takes as a header. */
const long = 15_000;

interface Demand {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const demandsOn = (path: string): Readonly<Record<string, Demand>> => ({
  'the page of a message of many files': { path },
  'all of them in one archive': { path: `${path}/all.zip` },
  'a range in the middle of the archive': { path: `${path}/all.zip`, headers: { range: 'bytes=400000-' } },
  'a language list without end': { path, headers: { 'accept-language': 'en;q=0.1,'.repeat(long / 9) } },
  'language tags of one letter': { path, headers: { 'accept-language': 'a-'.repeat(long / 2) } },
  'many ranges': { path: `${path}/file`, headers: { range: `bytes=${'0-1,'.repeat(long / 4)}5-6` } },
  'a range of digits': { path: `${path}/file`, headers: { range: `bytes=${'9'.repeat(long)}-` } },
  'many entity tags': { path: `${path}/file`, headers: { 'if-none-match': '"a", '.repeat(long / 5) } },
  'an entity tag without end': { path: `${path}/file`, headers: { 'if-range': `"${'\\"'.repeat(long / 2)}` } },
  'proxies without end': { path, headers: { 'x-forwarded-for': '10.0.0.1, '.repeat(long / 10) } },
  'a path of percent signs': { path: `/${'%25'.repeat(long / 3)}` },
  'a path of slashes': { path: '/'.repeat(long) },
  'a query of ampersands': { path: `${path}?${'&'.repeat(long)}` },
  'a cookie': { path, headers: { cookie: 'a=b; '.repeat(long / 5) } },
  'fields of one letter': { path, headers: Object.fromEntries(Array.from({ length: 1900 }, (_, i) => [`x${i}`, ''])) },
  'a method that nobody has': { path, method: 'PROPFIND' },
});

test('no request holds the event loop of the readers', async (t) => {
  const scenario = new Scenario(t);
  const directory = scenario.directory('loop');
  const sink = await scenario.use(startSink());
  const detach = await scenario.use(
    startDetach({
      nextHop: sink.port,
      storage: closedDirectory(scenario),
      config: { detach: { minSize: fileSize / 2 } },
      ...probedIn(directory),
    }),
  );
  const message = buildMessage({
    from: `"${'\u202e<&'.repeat(1000)}" <a@example.com>`,
    to: 'b@example.org',
    subject: '<&\u202e'.repeat(2000),
    attachments: Array.from({ length: files }, (_, i) => ({
      name: '',
      content: randomBytes(fileSize + i),
      headers: [
        `Content-Type: application/pdf`,
        `Content-Disposition: attachment; filename="${'<&'.repeat(300)}${i}.pdf"`,
      ],
    })),
  });
  const sent = await sendMail({ port: detach.port, from: 'a@example.com', to: ['b@example.org'], message });
  assert.equal(sent.final[0]?.code, 250, detach.describe());
  const link = new URL(linkIn(sink.messages.at(-1)!.data));

  assert.equal(await ask(link, { path: link.pathname }), 200);
  assert.equal(await ask(link, { path: `${link.pathname}/all.zip` }), 200);

  const longest = holdsIn(join(directory, 'link'), async (demand: Demand) => {
    await Promise.all(Array.from({ length: 4 }, () => ask(link, demand)));
    // A turn of its loop after those that answered.
    await ask(link, { path: '/' });
  });
  for (const [what, demand] of Object.entries(demandsOn(link.pathname)))
    await assertShort(t, what, () => longest(demand));
});

/** Resolves when the answer has ended. */
function ask({ hostname, port }: URL, { path, method = 'GET', headers = {} }: Demand): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, path, method, headers, agent: false }, (response) => {
      response.resume().once('close', () => resolve(response.statusCode ?? 0));
    });
    asked.once('error', reject).end();
  });
}
