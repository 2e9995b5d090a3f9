import { onOneLine } from '../smtp/one-line.ts';

/** One thing that is wrong with the configuration. */
export interface Problem {
  /** Path of the key, name of the variable or of the file. */
  readonly subject: string;
  /** Never quotes a secret. */
  readonly message: string;
  /** Where it was written, as in `mta.yaml:3`. */
  readonly where?: string | undefined;
}

/** Everything that is wrong with a configuration, a line each. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly lines: readonly string[];

  constructor(problems: readonly Problem[]) {
    const lines = problems.map(({ subject, message, where }) => {
      const line = `${subject}: ${message}${where === undefined ? '' : ` (${where})`}`;
      // A name or value out of the file must not be able to look like a second line.
      return onOneLine(line);
    });
    super(lines.join('\n'));
    this.lines = lines;
  }
}
