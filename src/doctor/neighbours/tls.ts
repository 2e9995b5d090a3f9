import { fail, type Found, ok, warn } from '../finding.ts';
import type { Check, Context } from '../interface.ts';
import type { Neighbour } from '../postfix/neighbour.ts';
import type { Route } from '../postfix/routes.ts';
import type { Service } from '../postfix/service.ts';
import { carrierPrefix, carrierValue, isQueued, nameOf } from '../postfix/values.ts';

/** Whether either side asks for TLS that the other one does not have. */
export const tls: Check = {
  name: 'postfix-tls',
  run: (context) =>
    context.neighbours.flatMap((neighbour) => [
      ...neighbour.toUs.filter(isQueued).map((route) => towardsUs(neighbour, route, context)),
      ...neighbour.fromUs.flatMap((listener) => fromUs(neighbour, listener, context)),
    ]),
};

/** Levels of smtp_tls_security_level that send nothing in clear, and those that look at the certificate. */
const mandatory: readonly string[] = ['encrypt', 'dane-only', 'fingerprint', 'verify', 'secure'];
const verifying: readonly string[] = ['dane-only', 'fingerprint', 'verify', 'secure'];

function towardsUs(neighbour: Neighbour, route: Route, { config }: Context): Found {
  const prefix = carrierPrefix(neighbour, route);
  const get = carrierValue(neighbour, route);
  const name = `${prefix}_tls_security_level`;
  const level = get(name);
  const { mode } = config.inbound.tls;
  const says = `${neighbour.dir}: ${name} = ${level || '(empty)'}`;
  if (get(`${prefix}_tls_wrappermode`) === 'yes')
    return fail(
      `${neighbour.dir}: ${prefix}_tls_wrappermode = yes, and we have STARTTLS only: no mail gets through`,
      `set ${prefix}_tls_wrappermode = no for this way`,
    );
  if (mandatory.includes(level) && mode === 'off')
    return fail(
      `${says} needs TLS, and inbound.tls.mode is off: all mail is deferred`,
      `set inbound.tls.mode, .cert and .key, or ${name} = may for this way`,
    );
  if (mode === 'required' && (level === '' || level === 'none'))
    return fail(
      `${says} never uses TLS, and inbound.tls.mode is required: all mail bounces with 530`,
      `set ${name} = encrypt for this way`,
    );
  if (verifying.includes(level))
    return warn(
      `${says} verifies our certificate: it must carry the name that the way says, and be signed by whom that server trusts`,
      `try it with posttls-finger; smtp_tls_policy_maps can set another level for this way`,
    );
  return ok(`${says} goes with inbound.tls.mode ${mode}`);
}

function fromUs({ dir }: Neighbour, listener: Service, { config }: Context): readonly Found[] {
  const level = listener.get('smtpd_tls_security_level');
  const { mode, cert } = config.outbound.tls;
  const says = `${dir}: ${nameOf(listener)}: smtpd_tls_security_level = ${level || '(empty)'}`;
  if (listener.get('smtpd_tls_wrappermode') === 'yes')
    return [
      fail(
        `${dir}: ${nameOf(listener)} has smtpd_tls_wrappermode = yes, and we begin in clear: no mail gets through`,
        'name another listener in outbound.nextHop',
      ),
    ];
  if (level === 'encrypt' && mode === 'off')
    return [fail(`${says}, and outbound.tls.mode is off: all mail is refused`, 'set outbound.tls.mode: opportunistic')];
  if (mode === 'required' && level !== 'encrypt' && level !== 'may')
    return [
      fail(`${says} offers no TLS, and outbound.tls.mode is required`, 'set smtpd_tls_security_level = may there'),
    ];
  // Postfix does not look at the parameter where TLS is not mandatory.
  if (level === 'encrypt' && listener.get('smtpd_tls_req_ccert') === 'yes' && cert === undefined)
    return [
      fail(
        `${dir}: ${nameOf(listener)}: smtpd_tls_req_ccert = yes, and we have no certificate to show: all mail is deferred`,
        'set outbound.tls.cert and .key',
      ),
    ];
  return [ok(`${says} goes with outbound.tls.mode ${mode}`)];
}
