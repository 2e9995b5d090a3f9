import { isToken } from '../storage/interface.ts';
import { CommandError, ExitStatus } from './exit-status.ts';

/** The token in the URL of a link, or the token itself. @throws CommandError 64 */
export function tokenIn(target: string): string {
  const [path = ''] = target.split(/[?#]/, 1);
  const token = path.split('/').find(isToken) ?? '';
  if (token !== '') return token;
  throw new CommandError(ExitStatus.usage, `${JSON.stringify(target)} is neither the URL of a link nor its token`);
}

export const noSuchLink = (): CommandError => new CommandError(ExitStatus.notThere, 'no such link');
