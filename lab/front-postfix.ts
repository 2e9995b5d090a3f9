import { join } from 'node:path';
import { type PostfixInstance, type PostfixOptions, startPostfix } from '../test/harness/postfix.ts';
import { senderLogins, submissionListeners, submissionSettings } from './access.ts';
import type { LabOptions } from './places.ts';

export interface FrontPostfixOptions extends Pick<PostfixOptions, 'dir' | 'settings' | 'ports'> {
  /** Its folder in the lab's home. */
  readonly folder: string;
  /** Options of the submission listeners in master.cf, as in `smtpd_proxy_filter=…`. */
  readonly submission?: readonly string[];
  /** Changes to the text of master.cf. */
  readonly master?: (text: string) => string;
}

/** The Postfix that people send to: for programs on this machine on port 2525, for people with a password besides. */
export function startFrontPostfix(
  { home, ports, access, settings }: LabOptions,
  { dir, folder, submission = [], master = (text) => text, ...own }: FrontPostfixOptions,
): Promise<PostfixInstance> {
  const listeners = access === undefined ? '' : submissionListeners(ports, submission);
  return startPostfix({
    dir,
    home: join(home, folder),
    ...(access === undefined ? {} : { files: senderLogins }),
    master: (text) => withSubmission(master(text), listeners),
    ports: { smtp: ports.postfixA, ...own.ports },
    settings: { ...settings?.a, ...(access ? submissionSettings(access) : {}), ...own.settings },
  });
}

/** Takes the place of listeners for the same purpose that the configuration may have. */
function withSubmission(master: string, listeners: string): string {
  const without = master.replace(
    /^\S+ +inet[^\n]*\n {2}-o syslog_name=postfix\/submissions?\n(?: {2}-o [^\n]*\n)*/gm,
    '',
  );
  return `${without.trimEnd()}\n${listeners}`;
}
