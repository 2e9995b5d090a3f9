import { pino, stdTimeFunctions, type DestinationStream } from 'pino';
import type { Config } from '../config/config.ts';
import type { Fields, Log } from './interface.ts';
import { toLoggable } from './loggable.ts';

export type LogLevel = Config['log']['level'];

/** Characters that JSON lets through and that could still command a terminal or turn a line around. */
const harmful = /[\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g;

/**
 * A log that writes one JSON line per event: `time` (ISO 8601), `level`, `event` and the fields.
 *
 * Each line is written before the call returns: none is lost when the process is killed, and none waits in memory.
 * A destination that cannot take a line (disk full, reader gone) loses it; mail does not stop for that.
 */
export function createLog(level: LogLevel, destination: DestinationStream = standardOutput()): Log {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // Errors are made loggable here; pino's own way would print all their properties and repeat the message.
      errorKey: 'pinoError',
      serializers: { err: (value: unknown) => value },
      hooks: {
        streamWrite: (line) =>
          line.replace(harmful, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`),
      },
    },
    destination,
  );
  const write = (severity: 'debug' | 'info' | 'warn' | 'error', event: string, fields: Fields = {}): void => {
    if (logger.isLevelEnabled(severity)) logger[severity](line(event, fields, logger.isLevelEnabled('debug')));
  };
  return {
    debug: (event, fields) => write('debug', event, fields),
    info: (event, fields) => write('info', event, fields),
    warn: (event, fields) => write('warn', event, fields),
    error: (event, fields) => write('error', event, fields),
  };
}

const reserved: ReadonlySet<string> = new Set(['time', 'level', 'event', 'msg']);

function line(event: string, fields: Fields, stacks: boolean): Record<string, unknown> {
  const result: Record<string, unknown> = { event };
  for (const [name, value] of Object.entries(fields)) {
    // The same name twice in a line means something else to every reader.
    result[reserved.has(name) ? `${name}_` : name] = toLoggable(value, stacks);
  }
  return result;
}

/** What waits while standard output cannot be written (disk full); beyond it lines are dropped. */
const maxWaitingBytes = 1048576;

function standardOutput(): DestinationStream {
  const stream = pino.destination({ dest: 1, sync: true, maxLength: maxWaitingBytes });
  stream.on('error', () => undefined);
  return stream;
}
