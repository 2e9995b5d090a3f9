import { join } from 'node:path';
import type { DovecotOptions } from '../test/harness/dovecot.ts';
import type { PostfixOptions } from '../test/harness/postfix.ts';
import type { PostfixSettings } from '../test/harness/postfix-home.ts';
import { type Certificates, labCertificates } from './certificates.ts';
import { labKeys } from './keys.ts';
import { people } from './people.ts';
import type { LabPorts } from './places.ts';

/** How people reach their mail: by password, over TLS. */
export interface Access {
  readonly password: string;
  readonly certificates: Certificates;
  /** Where Dovecot tells Postfix whether a password is right. */
  readonly socket: string;
}

export async function labAccess(home: string): Promise<Access> {
  const certificates = await labCertificates(home);
  return { password: labKeys(home).password, certificates, socket: join(home, 'dovecot/run/postfix-auth') };
}

/** Dovecot with IMAP over TLS and STARTTLS, which also checks passwords for Postfix. */
export function dovecotAccess(
  access: Access | undefined,
  ports: LabPorts,
): Pick<DovecotOptions, 'password' | 'config'> {
  if (access === undefined) return {};
  const { password, certificates, socket } = access;
  const config = `ssl = yes
ssl_cert = <${certificates.certificate}
ssl_key = <${certificates.key}
service imap-login {
  inet_listener imaps {
    address = 127.0.0.1
    port = ${ports.imaps}
    ssl = yes
  }
}
service auth {
  unix_listener ${socket} {
    mode = 0600
    user = postfix
  }
}`;
  return { password, config };
}

/** Listeners of master.cf for people with a password; the same as in `postfix-a/master.cf`, where they are comments. */
export function submissionListeners(ports: LabPorts, options: readonly string[] = []): string {
  const listener = (port: number, name: string, tls: string): string =>
    [
      `127.0.0.1:${port} inet n - n - - smtpd`,
      `syslog_name=postfix/${name}`,
      tls,
      'smtpd_sasl_auth_enable=yes',
      'smtpd_sender_restrictions=reject_sender_login_mismatch',
      'smtpd_relay_restrictions=permit_sasl_authenticated,reject',
      ...options,
    ].join('\n  -o ');
  return [
    listener(ports.submission, 'submission', 'smtpd_tls_security_level=encrypt'),
    listener(ports.submissions, 'submissions', 'smtpd_tls_wrappermode=yes'),
    '',
  ].join('\n');
}

/** What main.cf needs for them. Everybody may send under the own address only. */
export function submissionSettings({ certificates, socket }: Access): PostfixSettings {
  return {
    smtpd_tls_chain_files: certificates.chain,
    smtpd_tls_security_level: 'may',
    smtpd_sasl_type: 'dovecot',
    smtpd_sasl_path: socket,
    smtpd_sender_login_maps: 'texthash:$config_directory/senders',
  };
}

export const senderLogins: NonNullable<PostfixOptions['files']> = {
  senders: people.map((address) => `${address} ${address}\n`).join(''),
};
