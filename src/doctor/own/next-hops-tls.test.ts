/** What the doctor says of a next hop's TLS: each set-up is a right one, broken in one way. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { privateDirectory, removeDirectory } from '../../../test/harness/private-directory.ts';
import { type CertificateWishes, makeCertificate } from '../testing/certificate.ts';
import { examineWith, linesOf } from '../testing/examine.ts';
import { configOf } from '../testing/neighbour-lab.ts';
import { nextHops } from './next-hops.ts';

const valid: CertificateWishes = { days: [0, 90], names: ['DNS:b.example.net'] };
const required = { mode: 'required', servername: 'b.example.net' } as const;

interface Case {
  readonly name: string;
  readonly certificate?: CertificateWishes;
  readonly tls: { readonly mode: 'required' | 'opportunistic'; readonly servername?: string };
  /** Whether the configuration names the authority; it does unless it says otherwise. */
  readonly trusted?: boolean;
  readonly server?: SMTPServerOptions;
  readonly expect: RegExp;
}

const cases: readonly Case[] = [
  { name: 'a good certificate', tls: required, expect: /^ok .*, with TLS => $/m },
  {
    name: 'an expired certificate',
    certificate: { ...valid, days: [-60, -30] },
    tls: required,
    expect: /^fail .*certificate has expired => renew the certificate of that server/m,
  },
  {
    name: 'an expired certificate that nobody looks at',
    certificate: { ...valid, days: [-60, -30] },
    tls: { mode: 'opportunistic' },
    expect: /^warn .*the certificate of 127\.0\.0\.1:\d+ has expired on .* => renew/m,
  },
  {
    name: 'a certificate that ends soon',
    certificate: { ...valid, days: [0, 5] },
    tls: required,
    expect: /^warn .*the certificate of 127\.0\.0\.1:\d+ ends in [45] days.* => renew/m,
  },
  {
    name: 'a certificate of tomorrow',
    certificate: { ...valid, days: [2, 90] },
    tls: required,
    expect: /^fail .*not yet valid => set the clock of this machine/m,
  },
  {
    name: 'another name',
    tls: { ...required, servername: 'mail.example.net' },
    expect: /^fail .*altnames.* => set outbound\.tls\.servername/m,
  },
  {
    name: 'the address as the name',
    tls: { mode: 'required' },
    expect: /^fail .*altnames.* => set outbound\.tls\.servername/m,
  },
  {
    name: 'an authority that is not named',
    tls: required,
    trusted: false,
    expect: /^fail .*self-signed certificate => name the authority of that certificate in outbound\.tls\.ca/m,
  },
  {
    name: 'no TLS where it is required',
    tls: required,
    server: { disabledCommands: ['STARTTLS'] },
    expect: /^fail .*STARTTLS.* => turn TLS on there/m,
  },
  {
    name: 'a server that wants a certificate of ours',
    tls: required,
    server: { requestCert: true, rejectUnauthorized: true },
    expect: /^fail .* => .*does it want a certificate of ours \(outbound\.tls\.cert\)\?$/m,
  },
  {
    name: 'TLS that is too old',
    tls: required,
    server: { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
    expect: /^fail .* => look at the log of that server: the TLS handshake fails/m,
  },
  {
    name: 'opportunistic TLS that is too old',
    tls: { mode: 'opportunistic' },
    server: { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
    expect: /^warn .*offers TLS, which fails: mail goes in clear => look at its certificate/m,
  },
];

for (const { name, certificate = valid, tls, trusted = true, server, expect } of cases)
  test(`TLS of a next hop: ${name}`, async (t) => {
    const { key, cert, file } = makeCertificate(folder(t), certificate);
    const port = await listen(t, { key, cert, ...server });
    const ca = trusted && tls.mode === 'required' ? { ca: file } : {};
    const config = configOf({ outbound: { nextHop: [`127.0.0.1:${port}`], tls: { ...tls, ...ca } } });
    const found = linesOf(await examineWith(nextHops, config));
    assert.match(found, expect);
    if (expect.source.startsWith('^ok')) assert.doesNotMatch(found, /certificate|TLS,/);
  });

function folder(t: TestContext): string {
  const path = privateDirectory('doctor-tls');
  t.after(() => removeDirectory(path));
  return path;
}

async function listen(t: TestContext, options: SMTPServerOptions): Promise<number> {
  const smtp = new SMTPServer({ authOptional: true, logger: false, ...options });
  smtp.on('error', () => undefined);
  smtp.listen(0, '127.0.0.1');
  await once(smtp.server, 'listening');
  t.after(() => smtp.close());
  return (smtp.server.address() as AddressInfo).port;
}
