import type { OnePostfix } from './one-postfix.ts';

/** `smtpd_proxy_filter`: the client waits while its message goes through Detach MTA. */
export const beforeQueueWay: OnePostfix = {
  name: 'before-queue',
  dir: 'postfix-a/before-queue',
  role: 'before the queue',
  settings: () => ({}),
  listeners: ({ reinject }) => ({ '127.0.0.1:10026': reinject }),
  master: (text, { detach }) =>
    text.replace('smtpd_proxy_filter=127.0.0.1:10025', `smtpd_proxy_filter=127.0.0.1:${detach}`),
  submission: ({ detach }) => [`smtpd_proxy_filter=127.0.0.1:${detach}`, 'smtpd_proxy_options=speed_adjust'],
  nextHop: ({ reinject }) => [`127.0.0.1:${reinject}`],
  config: { inbound: { xforwardHosts: ['127.0.0.0/8'] } },
};

/** `content_filter`: mail is queued, goes through Detach MTA, and comes back on a second port. */
export const singlePostfixWay: OnePostfix = {
  name: 'single-postfix',
  dir: 'postfix-a/single-postfix',
  role: 'content filter',
  settings: ({ detach }) => ({ content_filter: `detach:[127.0.0.1]:${detach}` }),
  listeners: ({ reinject }) => ({ '127.0.0.1:10026': reinject }),
  submission: () => ['receive_override_options=no_address_mappings'],
  nextHop: ({ reinject }) => [`127.0.0.1:${reinject}`],
};

/** Between Postfix and the mailboxes, with a reply for each recipient. */
export const lmtpWay: OnePostfix = {
  name: 'lmtp',
  dir: 'postfix-b',
  role: 'LMTP',
  settings: ({ detach }) => ({
    virtual_transport: `lmtp:inet:127.0.0.1:${detach}`,
    // Dovecot's LMTP has no DSN. Without this the first message after a start of Detach MTA would be deferred once.
    lmtp_discard_lhlo_keywords: 'dsn',
  }),
  nextHop: ({ lmtp }) => [`127.0.0.1:${lmtp}`],
  config: { inbound: { protocol: 'lmtp' }, outbound: { protocol: 'lmtp' } },
};

/** Postfix shows each message to Detach MTA before it queues it. */
export const milterWay: OnePostfix = {
  name: 'milter',
  dir: 'postfix-a/milter',
  role: 'Milter',
  settings: ({ detach }) => ({ smtpd_milters: `inet:127.0.0.1:${detach}` }),
  nextHop: () => [],
  config: { inbound: { protocol: 'milter' } },
};
