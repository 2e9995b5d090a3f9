import type { LinkServerOptions } from '../server.ts';

/** A configuration of the server of links, on any free port. */
export const linkOptions: LinkServerOptions['links'] = {
  baseUrl: 'https://files.example.com/post',
  address: '127.0.0.1',
  port: 0,
  trustedProxies: ['127.0.0.1/32'],
  delivery: 'stream',
  language: 'en',
  log: 'full',
  logo: undefined,
  colour: undefined,
  showSender: true,
  showSubject: false,
};
