/** An entry of master.cf. */
export interface Service {
  /** `127.0.0.1:10026`, `smtp`, `detach`. */
  readonly name: string;
  readonly type: string;
  /** Processes at most; undefined: `default_process_limit`. 0: no limit. */
  readonly maxProcesses: number | undefined;
  /** `smtpd`, `smtp`, `lmtp`. */
  readonly program: string;
  /** What its programs work with: its own `-o` over main.cf. Expanded; '' for what is not there. */
  readonly get: (parameter: string) => string;
}

type Parameters = ReadonlyMap<string, string>;

interface Around {
  /** What `postconf -P` prints. */
  readonly overrides: string;
  /** Those of main.cf. */
  readonly main: Parameters;
}

/** @param masterLines what `postconf -M` prints */
export function parseServices(masterLines: string, { overrides, main }: Around): readonly Service[] {
  const own = parseOverrides(overrides);
  return lines(masterLines).flatMap((line) => {
    const [name, type, , , , , processes = '-', program] = line.split(/\s+/);
    if (name === undefined || type === undefined || program === undefined) return [];
    const parameters = own.get(`${name}/${type}`);
    return [
      {
        name,
        type,
        program,
        maxProcesses: /^\d+$/.test(processes) ? Number(processes) : undefined,
        get: (parameter: string) => parameters?.get(parameter) ?? main.get(parameter) ?? '',
      },
    ];
  });
}

/** `name = value`, a line each. */
export function parseParameters(text: string): Parameters {
  return new Map(
    lines(text).flatMap((line) => {
      const [, name, value = ''] = /^([^\s=]+)\s*=\s*(.*)$/.exec(line) ?? [];
      return name === undefined ? [] : [[name, value.trim()] as const];
    }),
  );
}

/** `service/type/parameter = value`; the name of a service may contain slashes. */
function parseOverrides(text: string): ReadonlyMap<string, Map<string, string>> {
  const all = new Map<string, Map<string, string>>();
  for (const [path, value] of parseParameters(text)) {
    const at = path.lastIndexOf('/');
    const service = path.slice(0, at);
    const parameters = all.get(service) ?? new Map<string, string>();
    all.set(service, parameters.set(path.slice(at + 1), value));
  }
  return all;
}

const lines = (text: string): readonly string[] => text.split('\n').filter((line) => line.trim() !== '');
