import { appendFileSync } from 'node:fs';
import type { Readable } from 'node:stream';

/** One line of Detach MTA's log. */
export interface LogEvent {
  readonly event: string;
  readonly level: unknown;
  readonly [field: string]: unknown;
}

/** Reads log lines as they come. A line that is no JSON object becomes an event named `(not JSON)`. */
export class JsonLog {
  readonly events: LogEvent[] = [];

  /** Takes in a stream, and copies it to the end of a file. */
  follow(stream: Readable, file: string): void {
    let pending = '';
    stream.setEncoding('utf8').on('data', (text: string) => {
      appendFileSync(file, text);
      const lines = (pending + text).split('\n');
      pending = lines.pop() ?? '';
      for (const line of lines) this.events.push(parse(line));
    });
  }
}

function parse(line: string): LogEvent {
  try {
    return JSON.parse(line) as LogEvent;
  } catch {
    return { event: '(not JSON)', level: undefined, line };
  }
}
