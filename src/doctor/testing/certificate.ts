import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const millisecondsADay = 24 * 60 * 60 * 1000;

export interface CertificateWishes {
  /** First and last day, counted from today. */
  readonly days: readonly [from: number, to: number];
  /** Subject alternative names, as openssl has them: `DNS:b.example`, `IP:127.0.0.1`. */
  readonly names: readonly string[];
}

export interface MadeCertificate {
  readonly key: Buffer;
  readonly cert: Buffer;
  /** Of the certificate. */
  readonly file: string;
}

/** A certificate that vouches for itself: its own file is the authority that trusts it. */
export function makeCertificate(folder: string, { days: [from, to], names }: CertificateWishes): MadeCertificate {
  const [config, request] = [join(folder, 'openssl.cnf'), join(folder, 'request.pem')];
  const [key, file] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  writeFileSync(config, authority(folder, names));
  writeFileSync(join(folder, 'issued.txt'), '');
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-subj', '/CN=test'];
  openssl(['req', '-new', '-config', config, ...kind, '-keyout', key, '-out', request]);
  // `req -x509` of OpenSSL 3.0 can only make certificates that begin now.
  const dates = ['-startdate', day(from), '-enddate', day(to)];
  openssl([
    'ca',
    '-batch',
    '-notext',
    '-selfsign',
    '-config',
    config,
    '-keyfile',
    key,
    '-in',
    request,
    ...dates,
    '-out',
    file,
  ]);
  return { key: readFileSync(key), cert: readFileSync(file), file };
}

function openssl(args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}

/** What `openssl ca` needs to sign one certificate in an empty folder. */
function authority(folder: string, names: readonly string[]): string {
  return `[ca]
default_ca = own
[own]
database = ${join(folder, 'issued.txt')}
new_certs_dir = ${folder}
rand_serial = yes
default_md = sha256
policy = subject
x509_extensions = extensions
[subject]
commonName = supplied
[extensions]
basicConstraints = critical, CA:TRUE
subjectAltName = ${names.join(',')}
[req]
distinguished_name = asked
[asked]
`;
}

/** ASN.1 GeneralizedTime of now and this many days. */
function day(count: number): string {
  const time = new Date(Date.now() + count * millisecondsADay).toISOString();
  return time.replace(/[-:T]|\.\d+/g, '');
}
