/** Writes the dashboard for Grafana: `node --import tsx monitoring/dashboard.ts > monitoring/dashboard.json`. */
import type { Dashboard, Panel } from '@grafana/schema';

type Unit = 'ops' | 'bytes' | 'Bps' | 's' | 'short' | 'percentunit';

/** What one graph shows: queries with the text of their legend. */
interface Graph {
  readonly title: string;
  readonly description: string;
  readonly unit: Unit;
  readonly queries: Readonly<Record<string, string>>;
}

const chosen = 'instance=~"$instance"';

/** `sum by (label) (rate(name))` of the chosen instances. */
const rate = (name: string, by: string, where = ''): string =>
  `sum by (${by}) (rate(detach_mta_${name}{${chosen}${where}}[$__rate_interval]))`;

const now = (name: string, by = 'instance'): string => `sum by (${by}) (detach_mta_${name}{${chosen}})`;

const quantile = (q: number, name: string, by: string): string =>
  `histogram_quantile(${q}, sum by (${by === '' ? '' : `${by}, `}le) (rate(detach_mta_${name}_bucket{${chosen}}[$__rate_interval])))`;

const graphs: readonly Graph[] = [
  {
    title: 'Mail by outcome',
    description: 'Transactions a second.',
    unit: 'ops',
    queries: { '{{outcome}}': rate('transactions_total', 'outcome') },
  },
  {
    title: 'Deferred, by reason',
    description: 'docs/operations.md says what each reason means. nextHop: in its own words.',
    unit: 'ops',
    queries: { '{{reason}}': `${rate('deferred_total', 'reason')} > 0` },
  },
  {
    title: 'Recipients by verdict',
    description: 'Last reply of each recipient.',
    unit: 'ops',
    queries: { '{{verdict}}': rate('recipients_total', 'verdict') },
  },
  {
    title: 'Time of a message',
    description: 'From MAIL to the last reply.',
    unit: 's',
    queries: {
      median: quantile(0.5, 'transaction_duration_seconds', ''),
      'one in ten': quantile(0.9, 'transaction_duration_seconds', ''),
      'one in a hundred': quantile(0.99, 'transaction_duration_seconds', ''),
    },
  },
  {
    title: 'Bytes of messages',
    description: 'Received and sent on.',
    unit: 'Bps',
    queries: { '{{direction}}': rate('message_bytes_total', 'direction') },
  },
  {
    title: 'Bytes that mailboxes do not hold',
    description: 'Taken out of messages, for each recipient; bytes that storage took for it.',
    unit: 'Bps',
    queries: {
      saved: rate('saved_bytes_total', 'job'),
      'stored {{result}}': rate('files_detached_bytes_total', 'result'),
    },
  },
  {
    title: 'Files taken out',
    description: 'present: storage had them already.',
    unit: 'ops',
    queries: { '{{result}}': rate('files_detached_total', 'result') },
  },
  {
    title: 'Storage: operations',
    description: 'By kind and result.',
    unit: 'ops',
    queries: { '{{operation}} {{result}}': rate('storage_requests_total', 'operation, result') },
  },
  {
    title: 'Storage: time',
    description: 'Nine in ten operations are quicker.',
    unit: 's',
    queries: { '{{operation}}': quantile(0.9, 'storage_request_duration_seconds', 'operation') },
  },
  {
    title: 'Sessions',
    description: 'Clients, and sessions with the next hop; dashed: what they may be.',
    unit: 'short',
    queries: {
      'clients {{instance}}': now('clients'),
      'next hop {{instance}}': now('next_hop_sessions'),
      'next hop, idle {{instance}}': now('next_hop_sessions_idle'),
      'clients, limit {{instance}}': now('clients_limit'),
      'next hop, limit {{instance}}': now('next_hop_sessions_limit'),
    },
  },
  {
    title: 'Spool',
    description: 'Used, and how much it may be.',
    unit: 'bytes',
    queries: { 'used {{instance}}': now('spool_bytes'), 'limit {{instance}}': now('spool_limit_bytes') },
  },
  {
    title: 'Delay of the event loop',
    description: 'One in a hundred turns waits longer.',
    unit: 's',
    queries: { '{{instance}} {{process}}': `nodejs_eventloop_lag_p99_seconds{${chosen},process!=""}` },
  },
  {
    title: 'Memory of processes',
    description: 'Resident.',
    unit: 'bytes',
    queries: { '{{instance}} {{process}}': `process_resident_memory_bytes{${chosen},process!=""}` },
  },
  {
    title: 'Processor time of processes',
    description: '1: one processor.',
    unit: 'percentunit',
    queries: { '{{instance}} {{process}}': `rate(process_cpu_seconds_total{${chosen},process!=""}[$__rate_interval])` },
  },
  {
    title: 'Readers',
    description: 'Pages, downloads, and requests that were sent away.',
    unit: 'ops',
    queries: {
      pages: rate('pages_total', 'job'),
      'downloads: {{delivery}}': rate('downloads_total', 'delivery'),
      'refused: {{reason}}': rate('links_refused_total', 'reason'),
      busy: rate('readers_busy_total', 'job'),
    },
  },
  {
    title: 'Bytes downloaded',
    description: 'Those of redirects do not pass here.',
    unit: 'Bps',
    queries: { '{{delivery}}': rate('download_bytes_total', 'delivery') },
  },
  {
    title: 'Links by state',
    description: 'As the last sweep found them; new ones a second beside it.',
    unit: 'short',
    queries: {
      '{{state}}': `max by (state) (detach_mta_stored_links{${chosen}})`,
      'new a second': rate('links_made_total', 'job'),
    },
  },
  {
    title: 'Files in storage',
    description: 'As the last sweep found them.',
    unit: 'bytes',
    queries: { bytes: `max(detach_mta_stored_bytes{${chosen}})` },
  },
  {
    title: 'What must not be',
    description: 'Loops, files that cannot be stored, files that changed in storage.',
    unit: 'short',
    queries: {
      'loops: {{fence}}': `sum by (fence) (increase(detach_mta_loops_total{${chosen}}[$__rate_interval]))`,
      'storage failures': `sum(increase(detach_mta_storage_failures_total{${chosen}}[$__rate_interval]))`,
      'corrupt files': `sum(increase(detach_mta_files_corrupt_total{${chosen}}[$__rate_interval]))`,
    },
  },
  {
    title: 'Since the last sweep',
    description: 'More than two days: sweep does not run.',
    unit: 's',
    queries: { age: `time() - (max(detach_mta_last_sweep_timestamp_seconds{${chosen}}) > 0)` },
  },
];

const datasource = { type: 'prometheus', uid: '${datasource}' };
const columns = 2;
const width = 24 / columns;
const height = 8;

function panel({ title, description, unit, queries }: Graph, i: number): Panel {
  return {
    id: i + 1,
    type: 'timeseries',
    title,
    description,
    datasource,
    gridPos: { x: (i % columns) * width, y: Math.floor(i / columns) * height, w: width, h: height },
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    targets: Object.entries(queries).map(([legendFormat, expr], j) => ({
      refId: String.fromCharCode(65 + j),
      datasource,
      expr,
      legendFormat,
    })),
  };
}

const variables = [
  { name: 'datasource', type: 'datasource', query: 'prometheus', label: 'Prometheus' },
  {
    name: 'instance',
    type: 'query',
    label: 'Instance',
    datasource,
    query: 'label_values(detach_mta_clients, instance)',
    includeAll: true,
    multi: true,
    current: { text: 'All', value: '$__all' },
  },
] as const;

export const dashboard = {
  uid: 'detach-mta',
  title: 'Detach MTA',
  description: 'Mail, files, storage, readers and processes. Made by monitoring/dashboard.ts.',
  tags: ['mail'],
  schemaVersion: 39,
  editable: true,
  refresh: '1m',
  time: { from: 'now-6h', to: 'now' },
  templating: { list: variables.map((variable) => ({ ...variable })) },
  panels: graphs.map(panel),
} satisfies Partial<Omit<Dashboard, 'templating'>> & { readonly templating: object };

if (import.meta.filename === process.argv[1]) process.stdout.write(`${JSON.stringify(dashboard, null, 2)}\n`);
