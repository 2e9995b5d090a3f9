import { pino } from 'pino';
import type { Config } from '../config/config.ts';
import { perSecond } from '../runtime/per-second.ts';
import { escapeJson } from '../smtp/one-line.ts';
import type { Fields, Log } from './interface.ts';
import { toLoggable } from './loggable.ts';
import { type Destination, standardOutput } from './standard-output.ts';
import { textLine } from './text-line.ts';

type LogLevel = Config['log']['level'];

/** The parts of `log` in the configuration; without a format it is JSON. */
export type LogSettings = Pick<Config['log'], 'level'> & Partial<Pick<Config['log'], 'format'>>;

/** Least severe first. */
const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/**
 * A log that writes one line per event, in JSON: `time` (ISO 8601), `level`, `event` and the fields; or as text.
 *
 * Warnings and errors are written before the call returns, the rest before anything that is said in the same turn of the
 * event loop: whatever a neighbour has heard of is in the log, also when the process is killed.
 * A destination that cannot take a line (disk full, reader gone) loses it; mail does not stop for that.
 */
export function createLog({ level, format = 'json' }: LogSettings, destination: Destination = standardOutput()): Log {
  const shown = (severity: LogLevel): boolean => levels.indexOf(severity) >= levels.indexOf(level);
  const say = format === 'text' ? textWriter(destination, shown('debug')) : jsonWriter(level, destination);
  const write = (severity: LogLevel, event: string, fields: Fields = {}): void => {
    if (shown(severity)) say(severity, { event, fields });
    if (severity === 'warn' || severity === 'error') destination.flush?.();
  };
  return {
    debug: (event, fields) => write('debug', event, fields),
    info: (event, fields) => write('info', event, fields),
    warn: (event, fields) => write('warn', event, fields),
    error: (event, fields) => write('error', event, fields),
  };
}

interface Line {
  readonly event: string;
  readonly fields: Fields;
}

type Writer = (severity: LogLevel, line: Line) => void;

/** For people: in colour where they look at a terminal (https://no-color.org). */
function textWriter(destination: Destination, stacks: boolean): Writer {
  const colour = destination.isTerminal === true && (process.env['NO_COLOR'] ?? '') === '';
  return (severity, { event, fields }) =>
    destination.write(
      textLine({ severity, event, fields: toLoggable(fields, { stacks }) as Fields, now: new Date() }, colour),
    );
}

/** As in `2026-11-29T05:23:41.`: UTC, up to the milliseconds. */
const upToSecond = perSecond((ms) => new Date(ms).toISOString().slice(0, -4));

function isoTime(): string {
  const now = Date.now();
  return `,"time":"${upToSecond(now)}${String(now % 1000).padStart(3, '0')}Z"`;
}

function jsonWriter(level: LogLevel, destination: Destination): Writer {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // Errors are made loggable here; pino's own way would print all their properties and repeat the message.
      errorKey: 'pinoError',
      serializers: { err: (value: unknown) => value },
      hooks: {
        streamWrite: escapeJson,
      },
    },
    destination,
  );
  const stacks = logger.isLevelEnabled('debug');
  return (severity, said) => logger[severity](line(said, { stacks }));
}

const reserved = ['time', 'level', 'event', 'msg'];

function line({ event, fields }: Line, { stacks }: { readonly stacks: boolean }): unknown {
  // Readers of JSON disagree on what a name means that appears twice.
  const unique = reserved.some((name) => name in fields) ? renamed(fields) : fields;
  return toLoggable({ event, ...unique }, { stacks });
}

function renamed(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [reserved.includes(name) ? `${name}_` : name, value]),
  );
}
