import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startForeground } from '../../test/harness/foreground.ts';
import { freePort } from '../../test/harness/ports.ts';
import type { Scenario } from '../../test/harness/scenario.ts';

/** Between two looks at `/metrics`, in s. */
const intervalS = 2;

/** What `$__rate_interval` is: Grafana takes four intervals, a small run more to be smooth. */
const rateS = 10 * intervalS;

export interface Series {
  readonly name: string;
  /** Times in s since 1970, ascending. */
  readonly points: readonly (readonly [time: number, value: number])[];
}

interface Answer {
  readonly data: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly values: readonly (readonly [number, string])[];
    }[];
  };
}

/** A real Prometheus that looks at one service. */
export class Prometheus {
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  /** What a graph of Grafana would show: a series for each set of labels. @throws Error when the query is refused */
  async range(expr: string, legend: string, [start, end]: readonly [number, number]): Promise<readonly Series[]> {
    const query = expr.replaceAll('$__rate_interval', `${rateS}s`).replaceAll('$instance', '.*');
    const parameters = { query, start: String(start), end: String(end), step: String(intervalS) };
    const url = `http://127.0.0.1:${this.#port}/api/v1/query_range?${new URLSearchParams(parameters).toString()}`;
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${query}: ${await response.text()}`);
    const { data } = (await response.json()) as Answer;
    return data.result.map(({ metric, values }) => ({
      name: legend.replace(/\{\{(\w+)\}\}/g, (_, label: string) => metric[label] ?? '').trim(),
      points: values.map(([time, value]) => [time, Number(value)] as const).filter(([, value]) => !Number.isNaN(value)),
    }));
  }
}

export async function startPrometheus(scenario: Scenario, metricsPort: number): Promise<Prometheus> {
  const directory = scenario.directory('prometheus');
  const port = await freePort();
  const file = join(directory, 'prometheus.yml');
  writeFileSync(
    file,
    `scrape_configs:
  - job_name: detach-mta
    scrape_interval: ${intervalS}s
    static_configs: [{ targets: ['127.0.0.1:${metricsPort}'], labels: { instance: relay-1 } }]
`,
  );
  await scenario.use(
    startForeground('prometheus', {
      args: [
        `--config.file=${file}`,
        `--storage.tsdb.path=${join(directory, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      port,
      signal: 'SIGTERM',
    }),
  );
  return new Prometheus(port);
}
