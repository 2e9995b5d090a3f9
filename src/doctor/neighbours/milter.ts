import { fail, type Found, ok, warn } from '../finding.ts';
import type { Check } from '../interface.ts';
import type { Neighbour } from '../postfix/neighbour.ts';
import { type Route, routeBy } from '../postfix/routes.ts';
import { entriesOf, numberOf } from '../postfix/values.ts';

/** What a Postfix that asks us as a Milter must be told besides our address. */
export const milter: Check = {
  name: 'postfix-milter',
  run: ({ neighbours }) =>
    neighbours.flatMap((neighbour) => {
      const route = neighbour.toUs.find(({ kind }) => kind === 'smtpd_milters');
      if (!route) return [];
      const found = problems(neighbour, route);
      return found.length > 0 ? found : [ok(`${neighbour.dir}: its Milter settings suit us`)];
    }),
};

function problems({ dir, get }: Neighbour, { listener, value }: Route): readonly Found[] {
  const own = listener?.get ?? get;
  const found: Found[] = [];
  const protocol = own('milter_protocol');
  if ((numberOf(protocol) ?? 0) < 6)
    found.push(fail(`${dir}: milter_protocol = ${protocol}, and we speak version 6`, 'set milter_protocol = 6'));
  const action = own('milter_default_action');
  if (action === 'accept')
    found.push(
      warn(
        `${dir}: milter_default_action = accept: while we do not answer, mail passes with its files`,
        'set milter_default_action = tempfail, unless that is what you want',
      ),
    );
  if (action === 'reject')
    found.push(
      fail(
        `${dir}: milter_default_action = reject: while we do not answer, mail bounces`,
        'set milter_default_action = tempfail',
      ),
    );
  const local = routeBy('smtpd_milters', { value: get('non_smtpd_milters'), listener: undefined });
  if (!local.some((each) => each.value === value))
    found.push(
      warn(
        `${dir}: non_smtpd_milters does not name us: mail of local programs (sendmail, cron) passes with its files`,
        'set non_smtpd_milters = $smtpd_milters, unless that is what you want',
      ),
    );
  if (entriesOf(get('internal_mail_filter_classes')).includes('bounce'))
    found.push(
      warn(
        `${dir}: internal_mail_filter_classes contains bounce: Postfix's own bounces are shown to us`,
        'set internal_mail_filter_classes =',
      ),
    );
  return found;
}
