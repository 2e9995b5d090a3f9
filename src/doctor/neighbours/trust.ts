import { NetworkList } from '../../smtp/networks.ts';
import { fail, ok } from '../finding.ts';
import type { Check } from '../interface.ts';
import type { Destination } from '../postfix/destination.ts';

/** Whether we take mail from a neighbour that comes over loopback. From where others come, their files do not say. */
export const trust: Check = {
  name: 'postfix-trusted',
  run({ neighbours, config: { inbound } }) {
    if (inbound.address.startsWith('unix:')) return [];
    const trusted = new NetworkList(inbound.trustedNetworks);
    return neighbours.flatMap(({ dir, toUs }) => {
      const hosts = toUs.flatMap(({ destinations }) => destinations).flatMap(loopbackHost);
      const refused = hosts.find((host) => !trusted.has(host));
      if (hosts.length === 0) return [];
      return refused === undefined
        ? [ok(`${dir}: its address is in inbound.trustedNetworks`)]
        : [
            fail(
              `${dir}: it comes from ${refused}, which is not in inbound.trustedNetworks: all its mail would be refused with 554`,
              `add ${refused} to inbound.trustedNetworks`,
            ),
          ];
    });
  },
};

function loopbackHost(destination: Destination): readonly string[] {
  if (destination.kind === 'unix') return [];
  const { host } = destination;
  if (host === 'localhost' || host.startsWith('127.')) return ['127.0.0.1'];
  return host === '::1' ? ['::1'] : [];
}
