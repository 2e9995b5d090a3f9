import type { Metadata } from './blobs.ts';

/** The metadata `crc32` of a file: 8 hex digits. */
export const formatCrc32 = (crc32: number): string => (crc32 >>> 0).toString(16).padStart(8, '0');

export function parseCrc32({ crc32 }: Metadata): number | undefined {
  return crc32 !== undefined && /^[0-9a-f]{8}$/.test(crc32) ? parseInt(crc32, 16) : undefined;
}
