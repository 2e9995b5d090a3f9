import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { privateDirectory } from '../../../test/harness/private-directory.ts';
import { attachmentMessage } from '../../load/message.ts';
import { sendAll } from '../../load/smtp-client.ts';
import { startSmtpSink } from '../../load/smtp-sink.ts';
import { smtpSource } from '../../load/smtp-source.ts';
import { startStorage } from '../../load/storage.ts';
import { startDetachMta } from '../../peers/detach-mta.ts';
import { type Bench, mebibyte, withStarted } from '../workload.ts';
import { drain, sessionsPer100, startA } from './queue.ts';
import { compare } from './variants.ts';

function certificate(): { readonly cert: string; readonly key: string } {
  const directory = privateDirectory('certificate');
  const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  const request = 'req -x509 -newkey rsa:2048 -noenc -days 2 -subj /CN=detach.example.net';
  execFileSync('openssl', [...request.split(' '), '-keyout', key, '-out', cert], { stdio: 'pipe' });
  return { cert, key };
}

const level = (smtp_tls_security_level: string, smtp_tls_connection_reuse: string) => ({
  smtp_tls_security_level,
  smtp_tls_connection_reuse,
});

/** TLS between A and Detach MTA, CPU of both. */
export const encryption = (bench: Bench): Promise<void> =>
  withStarted(async (use) => {
    const sink = await use(startSmtpSink());
    const storage = await use(startStorage('null'));
    const settings = { inbound: { tls: { mode: 'optional', ...certificate() } } };
    const relay = await use(startDetachMta({ nextHop: sink.port, storage, settings }));
    const a = await use(startA(relay.port));
    const [small, files] = bench.quick ? [200, 6] : [1000, 20];
    const values = {
      none: level('none', 'no'),
      'TLS, sessions kept': level('encrypt', 'yes'),
      'TLS, a session for each': level('encrypt', 'no'),
    };
    await compare(bench, {
      situation: 'A to Detach MTA: TLS, small mail',
      values,
      measure: async (chosen) => {
        const fill = () => smtpSource(a.port, { messages: small, sessions: 20, recipients: 1, keepOpen: true });
        const { wall, cpu, log } = await drain(a, sink, { settings: chosen, fill, queued: small, pids: relay.pids });
        return {
          'messages/s': small / wall,
          'CPU s/1000 messages': (cpu / small) * 1000,
          'sessions per 100 messages': sessionsPer100(log),
        };
      },
    });
    await compare(bench, {
      situation: 'A to Detach MTA: TLS, files of 10 MiB',
      values: { none: values.none, TLS: values['TLS, sessions kept'] },
      measure: async (chosen) => {
        const size = 10 * mebibyte;
        const fill = () => sendAll(a.port, { make: () => attachmentMessage(size), count: files, parallel: 2 });
        const { cpu } = await drain(a, sink, { settings: chosen, fill, queued: files, pids: relay.pids });
        return { 'CPU s/GB': (cpu / (files * size)) * 1e9 };
      },
    });
  });
