import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureNames, failureReply } from '../smtp/failures.ts';
import { isTransient } from '../smtp/reply.ts';
import { configOf } from '../doctor/testing/neighbour-lab.ts';
import { showLimits } from './limits-meter.ts';
import { createMeter } from './meter.ts';

/** Samples by name and labels. */
async function samples(registry: { metrics(): Promise<string> }): Promise<ReadonlyMap<string, number>> {
  const text = await registry.metrics();
  return new Map([...text.matchAll(/^([^#\n].*) (\S+)$/gm)].map(([, name = '', value]) => [name, Number(value)]));
}

const storageOperations = ['change', 'create', 'delete', 'look', 'read'];

const deferredReasons = ['nextHop', ...failureNames.filter((name) => isTransient(failureReply(name)))].sort();

test('every series is there from the start, at 0', async () => {
  const { registry } = createMeter('c1');
  const ours = [...(await samples(registry))].filter(([name]) => name.startsWith('detach_mta_'));
  assert.deepEqual(
    ours.filter(([, value]) => value !== 0),
    [],
  );
  const names = ours.map(([name]) => name).filter((name) => !name.includes('_bucket'));
  assert.deepEqual(names.sort(), [
    'detach_mta_clients',
    ...deferredReasons.map((reason) => `detach_mta_deferred_total{reason="${reason}"}`),
    ...['archive', 'redirect', 'stream'].map((by) => `detach_mta_download_bytes_total{delivery="${by}"}`),
    ...['archive', 'redirect', 'stream'].map((by) => `detach_mta_downloads_total{delivery="${by}"}`),
    'detach_mta_files_corrupt_total',
    'detach_mta_files_detached_bytes_total{result="present"}',
    'detach_mta_files_detached_bytes_total{result="stored"}',
    'detach_mta_files_detached_total{result="present"}',
    'detach_mta_files_detached_total{result="stored"}',
    'detach_mta_last_sweep_timestamp_seconds',
    'detach_mta_links_made_total',
    ...['expired', 'missing', 'revoked', 'unknown'].map((why) => `detach_mta_links_refused_total{reason="${why}"}`),
    'detach_mta_loops_total{cluster="c1",fence="chain"}',
    'detach_mta_loops_total{cluster="c1",fence="count"}',
    'detach_mta_loops_total{cluster="c1",fence="mirror"}',
    'detach_mta_loops_total{cluster="c1",fence="stamp"}',
    'detach_mta_message_bytes_total{direction="in"}',
    'detach_mta_message_bytes_total{direction="out"}',
    'detach_mta_next_hop_sessions',
    'detach_mta_next_hop_sessions_idle',
    'detach_mta_pages_total',
    'detach_mta_readers_busy_total',
    ...['accepted', 'deferred', 'refused'].map((verdict) => `detach_mta_recipients_total{verdict="${verdict}"}`),
    'detach_mta_saved_bytes_total',
    'detach_mta_spool_bytes',
    'detach_mta_storage_failures_total',
    ...storageOperations.map((each) => `detach_mta_storage_request_duration_seconds_count{operation="${each}"}`),
    ...storageOperations.map((each) => `detach_mta_storage_request_duration_seconds_sum{operation="${each}"}`),
    ...storageOperations.flatMap((each) =>
      ['failed', 'ok'].map((result) => `detach_mta_storage_requests_total{operation="${each}",result="${result}"}`),
    ),
    'detach_mta_stored_bytes',
    'detach_mta_stored_files',
    ...['expired', 'living', 'revoked'].map((state) => `detach_mta_stored_links{state="${state}"}`),
    'detach_mta_transaction_duration_seconds_count',
    'detach_mta_transaction_duration_seconds_sum',
    'detach_mta_transactions_total{outcome="deferred"}',
    'detach_mta_transactions_total{outcome="delivered"}',
    'detach_mta_transactions_total{outcome="lost"}',
    'detach_mta_transactions_total{outcome="partial"}',
    'detach_mta_transactions_total{outcome="refused"}',
  ]);
});

test('what happens is counted under its own label', async () => {
  const { meter, registry } = createMeter('c1');
  meter.transaction('delivered', 0.25);
  meter.transaction('delivered', 0.5);
  meter.transaction('lost', 2);
  meter.bytes('in', 1000);
  meter.bytes('in', 24);
  meter.bytes('out', 10);
  meter.fileDetached('stored', 500);
  meter.fileDetached('present', 400);
  meter.fileDetached('present', 400);
  meter.storageFailure();
  meter.loop('stamp');
  meter.clients(7);
  meter.clients(6);
  meter.nextHopSessions(5, 2);
  meter.spool(12345);
  const expected = {
    'detach_mta_transactions_total{outcome="delivered"}': 2,
    'detach_mta_transactions_total{outcome="lost"}': 1,
    'detach_mta_transactions_total{outcome="deferred"}': 0,
    detach_mta_transaction_duration_seconds_count: 3,
    detach_mta_transaction_duration_seconds_sum: 2.75,
    'detach_mta_transaction_duration_seconds_bucket{le="0.25"}': 1,
    'detach_mta_transaction_duration_seconds_bucket{le="1"}': 2,
    'detach_mta_message_bytes_total{direction="in"}': 1024,
    'detach_mta_message_bytes_total{direction="out"}': 10,
    'detach_mta_files_detached_total{result="stored"}': 1,
    'detach_mta_files_detached_total{result="present"}': 2,
    'detach_mta_files_detached_bytes_total{result="present"}': 800,
    detach_mta_storage_failures_total: 1,
    'detach_mta_loops_total{cluster="c1",fence="stamp"}': 1,
    'detach_mta_loops_total{cluster="c1",fence="count"}': 0,
    detach_mta_clients: 6,
    detach_mta_next_hop_sessions: 5,
    detach_mta_next_hop_sessions_idle: 2,
    detach_mta_spool_bytes: 12345,
  };
  const seen = await samples(registry);
  for (const [name, value] of Object.entries(expected)) assert.equal(seen.get(name), value, name);
});

test('two meters share nothing, and process metrics are in each', async () => {
  const [a, b] = [createMeter('a'), createMeter('b')];
  a.meter.storageFailure();
  assert.equal((await samples(b.registry)).get('detach_mta_storage_failures_total'), 0);
  for (const { registry } of [a, b]) assert.match(await registry.metrics(), /^process_resident_memory_bytes \d/m);
});

test('every metric of ours has a help text', async () => {
  const text = await createMeter('c1').registry.metrics();
  const names = [...text.matchAll(/^# TYPE (detach_mta_\S+)/gm)].map(([, name]) => name);
  assert.equal(names.length, 27);
  for (const name of names) assert.match(text, new RegExp(`^# HELP ${String(name)} \\S.*\\.$`, 'm'));
});

test('names and units are those that Prometheus wants', async () => {
  const { registry } = createMeter('c1');
  showLimits(registry, configOf());
  const wrong = (await registry.getMetricsAsJSON()).flatMap(({ name, type, help }) => {
    const counter = String(type) === 'counter';
    const problems = [
      ...(/^[a-z_][a-z0-9_]*$/.test(name) ? [] : ['characters']),
      ...(counter === name.endsWith('_total') ? [] : [`${String(type)} and _total`]),
      ...(/_(?:ms|millis|milliseconds|minutes|hours|kb|mb|kilobytes|megabytes)(?:_|$)/.test(name) ? ['unit'] : []),
      ...(/_(?:count|sum|bucket|gauge|counter|histogram)$/.test(name) ? ['reserved'] : []),
      ...(help === '' ? ['no help'] : []),
    ];
    return problems.map((problem) => `${name}: ${problem}`);
  });
  assert.deepEqual(wrong, []);
});
