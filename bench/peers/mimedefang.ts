import { chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../test/harness/ports.ts';
import { privateDirectory, removeDirectory } from '../../test/harness/private-directory.ts';
import { waitFor } from '../../test/harness/wait.ts';
import { waitForPort } from '../load/wait-for-port.ts';
import { type Peer, Program } from './peer.ts';
import { startPostfixRelay } from './postfix.ts';

/** The user that Debian's package creates; the filter refuses to work as another. */
const user = 'defang';

/** The example for large parts from its manual, without any other check. */
const filter = (files: string): string => `
sub filter {
    my($entity, $fname, $ext, $type) = @_;
    my $body = $entity->bodyhandle;
    if ($body && defined($body->path) && (-s $body->path) >= 1048576) {
        return action_replace_with_url($entity, '${files}', 'https://files.example.net', "The file is at _URL_\\n");
    }
    return action_accept();
}
sub filter_multipart { return action_accept(); }
sub filter_end { }
1;
`;

/** Postfix with MIMEDefang as its milter, replacing large parts by links into a local folder. */
export async function startMimeDefang(nextHop: number): Promise<Peer> {
  const home = privateDirectory('mimedefang');
  const [spool, files] = [join(home, 'spool'), join(home, 'files')];
  for (const folder of [spool, files]) {
    mkdirSync(folder, { mode: 0o750 });
    chownSync(folder, ...owner());
  }
  const filterFile = join(home, 'filter');
  writeFileSync(filterFile, filter(files));
  const port = await freePort();
  const socket = join(spool, 'multiplexor.sock');
  const multiplexor = new Program(
    // prettier-ignore
    ['mimedefang-multiplexor', '-D', '-U', user, '-z', spool, '-s', socket, '-F', filterFile, '-m', '2', '-x', '10',
      '-b', '600'],
    { log: join(home, 'log') },
  );
  await waitFor(() => existsSync(socket), {
    what: 'the multiplexor of MIMEDefang',
    detail: () => multiplexor.output,
  });
  const milter = new Program(
    ['mimedefang', '-D', '-U', user, '-z', spool, '-m', socket, '-p', `inet:${port}@127.0.0.1`, '-R', '-1'],
    { log: join(home, 'log') },
  );
  await waitForPort(port);
  const postfix = await startPostfixRelay(nextHop, {
    name: 'Postfix + MIMEDefang',
    settings: { smtpd_milters: `inet:127.0.0.1:${port}`, milter_content_timeout: '600s' },
  });
  return {
    ...postfix,
    pids: [...postfix.pids, multiplexor.pid, milter.pid],
    stop: async () => {
      await postfix.stop();
      await milter.stop();
      await multiplexor.stop();
      removeDirectory(home);
    },
  };
}

function owner(): [uid: number, gid: number] {
  const fields = new RegExp(`^${user}:[^:]*:(\\d+):(\\d+):`, 'm').exec(readFileSync('/etc/passwd', 'utf8'));
  if (!fields) throw new Error(`no user ${user}: is MIMEDefang installed?`);
  return [Number(fields[1]), Number(fields[2])];
}
