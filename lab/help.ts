import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { labKeys } from './keys.ts';
import { people } from './people.ts';
import type { LabPorts } from './places.ts';
import { bold, cyan, dim, heading, inDetail, row, say } from './terminal.ts';

/** What one can do with a running lab. */
export function showHelp(home: string, ports: LabPorts, directory?: string): void {
  const where = directory === undefined ? '' : ` --home ${directory}`;
  const { password } = labKeys(home);
  const [alice, bob, carol] = people;
  heading('The lab stays up');
  row('webmail', cyan(`http://127.0.0.1:${ports.webmail}`));
  row('  logins', [alice, bob, carol].map((each) => bold(each)).join(', '));
  row('  password of each', bold(password));
  row('any mail program', `the same logins; server 127.0.0.1 (or localhost)`);
  row('  receives', `IMAP  ${ports.imap} with STARTTLS, or ${ports.imaps} with TLS`);
  row('  sends', `SMTP  ${ports.submission} with STARTTLS, or ${ports.submissions} with TLS; the same password`);
  row('  trusts', join(home, 'certificates/authority.pem'));
  row('send a file', `npm run lab -- send FILE [TO …]${where}`);
  inDetail(() => showMore(home, ports, password));
  row('stop', `Ctrl-C, or npm run lab -- stop${where}      ${dim('more: npm run lab -- --verbose')}`);
}

function showMore(home: string, ports: LabPorts, password: string): void {
  const [from, to] = people;
  row(
    '  or with swaks',
    `swaks --server 127.0.0.1:${ports.postfixA} --from ${from} --to ${to} --attach-name NAME --attach @FILE`,
  );
  row('mailboxes', people.join(', '));
  row('  by curl', `curl -u ${to}:${password} "imap://127.0.0.1:${ports.imap}/INBOX;MAILINDEX=1"`);
  row('figures', `http://127.0.0.1:${ports.metrics}/metrics`);
  row('logs', join(home, 'detach-mta/detach-mta.log'));
  const servers = readdirSync(home).filter((name) => /^(postfix|dovecot|webmail)/.test(name));
  for (const name of servers) row('', join(home, name, 'log'));
  for (const name of servers.filter((each) => each.startsWith('postfix'))) {
    row('queue', `postqueue -c ${join(home, name, 'etc')} -p`);
  }
  row('start from nothing', `stop it, rm -rf ${home}`);
  say();
}
