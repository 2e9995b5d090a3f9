import { programVersion } from '../../runtime/program-folder.ts';
import { type Found, ok, warn } from '../finding.ts';
import type { Check } from '../interface.ts';

export const versions: Check = {
  name: 'versions',
  run: ({ neighbours }) => [
    ok(`Detach MTA ${programVersion()}, Node ${process.versions.node}`),
    ...neighbours.map(({ dir, get }): Found => {
      const version = get('mail_version');
      // Releases that are corrected have the parameter, whatever their number.
      return get('smtpd_forbid_bare_newline') === ''
        ? warn(`${dir}: Postfix ${version} takes smuggled messages (CVE-2023-51764)`, 'update Postfix')
        : ok(`${dir}: Postfix ${version}`);
    }),
  ],
};
