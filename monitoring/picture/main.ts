/**
 * Renews docs/pictures/dashboard.png: a real run of some minutes, seen by a real Prometheus, drawn from the queries of the
 * dashboard. `node --import tsx monitoring/picture/main.ts`, after `npm run build`.
 */
import { join } from 'node:path';
import { startBrowser } from '../../test/harness/browser.ts';
import { startAzurite } from '../../test/harness/azurite.ts';
import { startDetach } from '../../test/harness/detach-mta.ts';
import { Scenario } from '../../test/harness/scenario.ts';
import { startSink } from '../../test/harness/sink.ts';
import { dashboard } from '../dashboard.ts';
import { passDay } from './day.ts';
import { drawGraphs, type Graph } from './draw.ts';
import { type Prometheus, startPrometheus } from './prometheus.ts';

const picture = join(import.meta.dirname, '../../docs/pictures/dashboard.png');
const seconds = Number(process.argv[2] ?? 300);

async function graphsOf(prometheus: Prometheus, time: readonly [number, number]): Promise<readonly Graph[]> {
  const graphs: Graph[] = [];
  for (const { title = '', fieldConfig, targets = [] } of dashboard.panels) {
    const series = await Promise.all(
      targets.map(({ expr, legendFormat }) => prometheus.range(String(expr), String(legendFormat), time)),
    );
    graphs.push({ title, unit: String(fieldConfig?.defaults.unit), series: series.flat() });
  }
  return graphs;
}

async function photograph(svg: string): Promise<void> {
  const browser = await startBrowser();
  try {
    const page = await browser.newPage();
    await page.setContent(`<body style="margin:0">${svg}`);
    await page.locator('svg').screenshot({ path: picture });
  } finally {
    await browser.close();
  }
}

const endings: (() => Promise<void>)[] = [];
const scenario = new Scenario({ after: (ending) => void endings.push(ending) });
try {
  const azurite = await scenario.use(startAzurite());
  const answer = ({ stage, line }: { readonly stage: string; readonly line: string }): string | undefined =>
    stage === 'rcpt' && line.includes('nobody') ? '550 5.1.1 no such user' : undefined;
  const sink = await scenario.use(startSink({ answer }));
  const detach = await scenario.use(startDetach({ nextHop: sink.port, storage: azurite.connectionString }));
  const prometheus = await startPrometheus(scenario, detach.metricsPort);
  const start = Date.now() / 1000;
  await passDay(detach, sink, seconds);
  const time = [start, start + seconds] as const;
  const graphs = await graphsOf(prometheus, time);
  for (const { title, series } of graphs) console.log(`${title}: ${series.map(({ name }) => name).join(', ')}`);
  await photograph(drawGraphs(graphs, time));
} finally {
  for (const ending of endings) await ending();
}
