import { type Found, ok, warn } from '../finding.ts';
import type { Check } from '../interface.ts';
import type { Neighbour } from '../postfix/neighbour.ts';
import type { Destination } from '../postfix/destination.ts';
import { type Route, routeBy } from '../postfix/routes.ts';

/** Names and usual ports of programs that sign: OpenDKIM, rspamd, dkimpy-milter, dkimproxy. */
const signerName = /dkim|rspamd|amavis/i;
const signerPorts: readonly number[] = [8891, 8892, 11332, 10027, 10028];

/** A signature made before us does not fit the mail any more once a file was taken out. */
export const dkim: Check = {
  name: 'postfix-dkim',
  run: ({ neighbours }) =>
    neighbours.flatMap((neighbour) => {
      if (neighbour.toUs.length === 0) return [];
      const signers = signersBefore(neighbour);
      if (signers.length === 0) return [ok(`${neighbour.dir}: nothing that signs stands before us`)];
      return signers.map((signer): Found => {
        const behind = neighbour.toUs.some(({ kind }) => kind === 'smtpd_milters')
          ? 'name our Milter before it in smtpd_milters'
          : 'let it sign behind us: at the next hop, or at the listener that takes the mail back';
        return warn(
          `${neighbour.dir}: ${signer} seems to sign with DKIM before us: the signature breaks when a file is taken out`,
          behind,
        );
      });
    }),
};

/** Milters and filters of the listeners that mail passes before it comes to us. */
function signersBefore(neighbour: Neighbour): readonly string[] {
  const { get, toUs, elsewhere } = neighbour;
  const asMilter = toUs.find(({ kind }) => kind === 'smtpd_milters');
  if (asMilter) {
    const { listener } = asMilter;
    const all = routeBy('smtpd_milters', { value: (listener?.get ?? get)('smtpd_milters'), listener });
    const ours = all.findIndex(({ value }) => value === asMilter.value);
    return all.slice(0, ours).filter(signs).map(describe);
  }
  const local = routeBy('smtpd_milters', { value: get('non_smtpd_milters'), listener: undefined });
  const takers = new Set(neighbour.fromUs);
  const before = [...elsewhere, ...local].filter(
    ({ kind, listener }) => kind !== 'relayhost' && (listener === undefined || !takers.has(listener)),
  );
  return [...new Set(before.filter(signs).map(describe))];
}

const describe = ({ kind, value }: Route): string => `${kind} = ${value}`;

const signs = ({ value, destinations }: Route): boolean =>
  signerName.test(value) || destinations.some((each) => isSigner(each));

const isSigner = (destination: Destination): boolean =>
  destination.kind === 'tcp' && signerPorts.includes(destination.port);
