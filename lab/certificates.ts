import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { run } from '../test/harness/process.ts';

/** Files of the lab's own certificate authority, and of the servers it vouches for. */
export interface Certificates {
  /** What a mail program must trust. */
  readonly authority: string;
  readonly key: string;
  readonly certificate: string;
  /** Key and certificate in one file, as Postfix wants them. */
  readonly chain: string;
}

const day = 86_400_000;
/** Days that a server's certificate must still be good for; else it is made anew. */
const margin = 30;

/** Name constraints: whoever trusts this authority trusts it for names of this machine and of the lab only. */
const configuration = `[req]
distinguished_name = name
prompt = no
[name]
CN = Detach MTA lab
[authority]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
nameConstraints = critical, permitted;DNS:localhost, permitted;DNS:example.net, permitted;IP:127.0.0.0/255.0.0.0
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:localhost, DNS:mail-a.example.net, DNS:mail-b.example.net, DNS:mail.example.net, IP:127.0.0.1
`;

/** Makes the authority at the first start of a lab, and the servers' certificate when there is none that lasts. */
export async function labCertificates(home: string): Promise<Certificates> {
  const folder = join(home, 'certificates');
  if (!existsSync(folder)) await makeFolder(folder);
  const files = filesIn(folder);
  if (daysLeft(files.certificate) < margin) await certify(folder, folder);
  return files;
}

/** Made beside its place and then moved there, so that no interruption leaves half of it. */
async function makeFolder(folder: string): Promise<void> {
  mkdirSync(join(folder, '..'), { recursive: true });
  const next = mkdtempSync(`${folder}-`);
  try {
    await openssl(next, ['-extensions', 'authority', '-days', '3650'], ['authority.key', 'authority.pem']);
    await certify(next, next);
    await run('chmod', ['755', next]);
    renameSync(next, folder);
  } finally {
    rmSync(next, { recursive: true, force: true });
  }
}

async function certify(folder: string, authority: string): Promise<void> {
  const signer = ['-CA', join(authority, 'authority.pem'), '-CAkey', join(authority, 'authority.key')];
  await openssl(folder, ['-extensions', 'server', '-days', '397', ...signer], ['server.key', 'server.pem']);
  const { key, certificate, chain } = filesIn(folder);
  writeFileSync(chain, readFileSync(key, 'utf8') + readFileSync(certificate, 'utf8'), { mode: 0o600 });
}

async function openssl(folder: string, options: readonly string[], [key, out]: readonly [string, string]) {
  const config = join(folder, 'openssl.cnf');
  writeFileSync(config, configuration);
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const files = ['-keyout', join(folder, key), '-out', join(folder, out)];
  await run('openssl', ['req', '-x509', '-config', config, ...kind, ...options, ...files]);
}

function filesIn(folder: string): Certificates {
  return {
    authority: join(folder, 'authority.pem'),
    key: join(folder, 'server.key'),
    certificate: join(folder, 'server.pem'),
    chain: join(folder, 'chain.pem'),
  };
}

function daysLeft(file: string): number {
  if (!existsSync(file)) return 0;
  return (Date.parse(new X509Certificate(readFileSync(file)).validTo) - Date.now()) / day;
}
