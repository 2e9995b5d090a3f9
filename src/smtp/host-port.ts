/** `host:port`, an IPv6 address in brackets (RFC 3986 section 3.2.2). */
export const hostPort = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
