import type { Network } from '../../test/harness/machine/network.ts';

/** What the link between the nodes is like from the beginning. */
export interface Link {
  /** Bits per second in each direction; undefined: no limit. */
  readonly bandwidth: number | undefined;
  /** The share of packets that is lost in each direction. */
  readonly loss: number;
}

const units = { bit: 1, kbit: 1e3, mbit: 1e6, gbit: 1e9 } as const;

/**
 * Reads the values of `--bandwidth` and `--loss`.
 * @throws Error that names what is wrong
 */
export function parseLink({ bandwidth, loss }: { readonly bandwidth?: string; readonly loss?: string }): Link {
  return {
    bandwidth: bandwidth === undefined ? undefined : bits(bandwidth),
    loss: loss === undefined ? 0 : share(loss),
  };
}

/** Below this, not even a banner passes in the time that a mail server waits. */
const leastBits = 8000;

function bits(text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)(k|m|g|)bit$/.exec(text.toLowerCase()) ?? [];
  const rate = Number(number) * units[`${unit}bit` as keyof typeof units];
  if (number === '' || rate < leastBits || rate > 1e11)
    throw new Error(`--bandwidth ${text}: expected bits per second, from 8kbit on, such as 512kbit, 10mbit or 1gbit`);
  return Math.round(rate);
}

function share(text: string): number {
  const [, number = ''] = /^(\d+(?:\.\d+)?)%$/.exec(text) ?? [];
  const percent = Number(number);
  if (number === '' || percent > 50)
    throw new Error(`--loss ${text}: expected per cent of the packets, from 0% to 50%, such as 1%`);
  return percent / 100;
}

/** Makes it so, in each direction. */
export async function setLink(network: Network, { bandwidth, loss }: Link): Promise<void> {
  if (bandwidth !== undefined) await network.bandwidth(bandwidth);
  if (loss > 0) await network.loss(loss);
}

/** In words; nothing for a link without limits. */
export function describeLink({ bandwidth, loss }: Link): string {
  const rate = bandwidth === undefined ? [] : [`${bandwidth / 1e6} Mbit/s`];
  const lost = loss === 0 ? [] : [`${Number((loss * 100).toFixed(3))} % of the packets lost`];
  return [...rate, ...lost].join(', ');
}
