import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from './finding.ts';
import { examineNeighbours, type SetUp } from './testing/neighbour-lab.ts';

const a = { from: 'postfix-a' } as const;
const b = { from: 'postfix-b' } as const;
const single = { from: 'postfix-a/single-postfix' } as const;
const singleRelayhost = { from: 'postfix-a/single-postfix-relayhost' } as const;
const beforeQueue = { from: 'postfix-a/before-queue' } as const;
const milter = { from: 'postfix-a/milter' } as const;

const back = { outbound: { nextHop: ['127.0.0.1:10026'] } };
const asProxy = { ...back, inbound: { xforwardHosts: ['127.0.0.0/8'] } };
const asMilter = { inbound: { protocol: 'milter' }, outbound: undefined };

const shipped: readonly (SetUp & { readonly name: string })[] = [
  { name: 'two servers', postfix: [a, b] },
  { name: 'the same, other way round', postfix: [b, a] },
  { name: 'A alone', postfix: [a] },
  { name: 'B alone, on this machine', postfix: [b], config: { outbound: { nextHop: ['127.0.0.1:25'] } } },
  { name: 'one server, after its queue', postfix: [single], config: back },
  { name: 'one server, with relayhost', postfix: [singleRelayhost], config: back },
  { name: 'one server, before its queue', postfix: [beforeQueue], config: asProxy },
  { name: 'one server, as its Milter', postfix: [milter], config: asMilter },
];

for (const { name, ...setUp } of shipped) {
  test(`no false alarm on what is shipped: ${name}`, async (t) => {
    const found = await examineNeighbours(t, setUp);
    assert.deepEqual(
      found.filter(({ result }) => result !== 'ok'),
      [],
    );
    assert.ok(found.length >= 5, describe(found));
  });
}

interface Broken extends SetUp {
  readonly name: string;
  readonly check: string;
  readonly result: 'warn' | 'fail';
  readonly message: RegExp;
  readonly fix: RegExp;
}

const edit = (from: string | RegExp, to: string) => (text: string) => text.replace(from, to);

const broken: readonly Broken[] = [
  {
    name: 'relayhost leads past us',
    postfix: [{ ...a, main: { relayhost: '[127.0.0.1]:2526' } }, b],
    check: 'postfix-way-in',
    result: 'fail',
    message: /relayhost = \[127\.0\.0\.1\]:2526 leads past us/,
    fix: /relayhost = \[127\.0\.0\.1\]:10025/,
  },
  {
    name: 'relayhost is empty',
    postfix: [{ ...a, main: { relayhost: '' } }, b],
    check: 'postfix-way-in',
    result: 'fail',
    message: /relayhost is empty/,
    fix: /set relayhost/,
  },
  {
    name: 'relayhost without brackets',
    postfix: [{ ...a, main: { relayhost: '127.0.0.1:10025' } }, b],
    check: 'postfix-way-in',
    result: 'warn',
    message: /no brackets/,
    fix: /\[127\.0\.0\.1\]:10025/,
  },
  {
    name: 'SMTP to a service that speaks LMTP',
    postfix: [a, b],
    config: { inbound: { protocol: 'lmtp' } },
    check: 'postfix-way-in',
    result: 'fail',
    message: /speaks smtp to us, and inbound\.protocol is lmtp/,
    fix: /inbound\.protocol: smtp/,
  },
  {
    name: 'a Milter asked by a service that speaks SMTP',
    postfix: [milter],
    config: back,
    check: 'postfix-way-in',
    result: 'fail',
    message: /speaks milter/,
    fix: /inbound\.protocol: milter/,
  },
  {
    name: 'a Milter nobody asks',
    postfix: [{ ...milter, main: { smtpd_milters: 'inet:127.0.0.1:9999' } }],
    config: asMilter,
    check: 'postfix-way-in',
    result: 'fail',
    message: /smtpd_milters = inet:127\.0\.0\.1:9999 leads past us/,
    fix: /smtpd_milters = inet:127\.0\.0\.1:10025/,
  },
  {
    name: 'reinjection listener without content_filter=',
    postfix: [{ ...single, master: edit('  -o content_filter=\n', '') }],
    config: back,
    check: 'postfix-reinjection',
    result: 'fail',
    message: /content_filter = detach:\[127\.0\.0\.1\]:10025 sends the mail back/,
    fix: /"-o content_filter="/,
  },
  {
    name: 'reinjection listener without smtpd_proxy_filter=, set in main.cf',
    postfix: [
      {
        ...beforeQueue,
        main: { smtpd_proxy_filter: '127.0.0.1:10025' },
        master: edit('  -o smtpd_proxy_filter=\n', ''),
      },
    ],
    config: asProxy,
    check: 'postfix-reinjection',
    result: 'fail',
    message: /smtpd_proxy_filter = 127\.0\.0\.1:10025 sends the mail back/,
    fix: /"-o smtpd_proxy_filter="/,
  },
  {
    name: 'reinjection listener that obeys relayhost',
    postfix: [{ ...singleRelayhost, master: edit('content_filter=$detach_delivery', 'content_filter=') }],
    config: back,
    check: 'postfix-reinjection',
    result: 'fail',
    message: /relayhost = \[127\.0\.0\.1\]:10025 sends the mail back/,
    fix: /content_filter=direct:/,
  },
  {
    name: 'next hop is the listener in front',
    postfix: [beforeQueue],
    config: { ...asProxy, outbound: { nextHop: ['127.0.0.1:25'] } },
    check: 'postfix-reinjection',
    result: 'fail',
    message: /smtp in master\.cf is our next hop, and its smtpd_proxy_filter/,
    fix: /smtpd_proxy_filter=/,
  },
  {
    name: 'B sends its mail to us',
    postfix: [{ ...b, main: { relayhost: '[127.0.0.1]:10025' } }],
    config: { outbound: { nextHop: ['127.0.0.1:25'] } },
    check: 'postfix-reinjection',
    result: 'fail',
    message: /a mail loop/,
    fix: /another server in outbound\.nextHop/,
  },
  {
    name: 'a Milter that sees what another filter brings back',
    postfix: [
      {
        ...milter,
        main: { content_filter: 'smtp:[127.0.0.1]:10024' },
        master: (text) => `${text}\n127.0.0.1:10027 inet n - n - - smtpd\n  -o content_filter=\n`,
      },
    ],
    config: asMilter,
    check: 'postfix-reinjection',
    result: 'fail',
    message: /refused as a loop/,
    fix: /"-o smtpd_milters=" to 127\.0\.0\.1:10027/,
  },
  {
    name: 'A is not trusted',
    postfix: [a, b],
    config: { inbound: { trustedNetworks: ['10.0.0.0/8'] } },
    check: 'postfix-trusted',
    result: 'fail',
    message: /not in inbound\.trustedNetworks/,
    fix: /add 127\.0\.0\.1/,
  },
  {
    name: 'A has our name',
    postfix: [{ ...a, main: { myhostname: 'detach.example.net' } }, b],
    check: 'postfix-names',
    result: 'fail',
    message: /loops back to myself/,
    fix: /hostname/,
  },
  {
    name: 'B has our name',
    postfix: [a, { ...b, main: { myhostname: 'Detach.example.net' } }],
    config: { outbound: { nextHop: ['127.0.0.1:25'] } },
    check: 'postfix-names',
    result: 'warn',
    message: /our hostname/,
    fix: /hostname/,
  },
  {
    name: 'both have one name',
    postfix: [{ ...a, main: { myhostname: 'mail-b.example.net' } }, b],
    check: 'postfix-names',
    result: 'warn',
    message: /the same myhostname/,
    fix: /of its own/,
  },
  {
    name: 'A takes larger mail than we do',
    postfix: [{ ...a, main: { message_size_limit: '104857600' } }, b],
    check: 'postfix-size',
    result: 'fail',
    message: /104857600\) is above inbound\.maxMessageSize/,
    fix: /raise inbound\.maxMessageSize/,
  },
  {
    name: 'A takes mail of any size',
    postfix: [{ ...a, main: { message_size_limit: '0' } }, b],
    check: 'postfix-size',
    result: 'fail',
    message: /no limit/,
    fix: /message_size_limit = 52428800/,
  },
  {
    name: 'B takes less than A',
    postfix: [a, { ...b, main: { message_size_limit: '10240000' } }],
    check: 'postfix-size',
    result: 'fail',
    message: /10240000\) is below that of/,
    fix: /raise message_size_limit/,
  },
  {
    name: 'B takes less than we do',
    postfix: [{ ...b, main: { message_size_limit: '10240000' } }],
    config: { outbound: { nextHop: ['127.0.0.1:25'] } },
    check: 'postfix-size',
    result: 'warn',
    message: /below inbound\.maxMessageSize/,
    fix: /message_size_limit/,
  },
  {
    name: 'a mailbox that holds less than a message',
    postfix: [a, { ...b, main: { mailbox_size_limit: '51200000', mydestination: 'example.edu' } }],
    check: 'postfix-size',
    result: 'fail',
    message: /mailbox_size_limit \(51200000\) is below message_size_limit/,
    fix: /mailbox_size_limit = 0/,
  },
  {
    name: 'A gives up within an upload',
    postfix: [{ ...a, main: { smtp_data_done_timeout: '60s' } }, b],
    check: 'postfix-timeouts',
    result: 'fail',
    message: /smtp_data_done_timeout = 60s may be shorter than an upload/,
    fix: /smtp_data_done_timeout = 600s/,
  },
  {
    name: 'the filter transport gives up within an upload',
    postfix: [{ ...single, master: edit('smtp_data_done_timeout=600s', 'smtp_data_done_timeout=30s') }],
    config: back,
    check: 'postfix-timeouts',
    result: 'fail',
    message: /smtp_data_done_timeout = 30s/,
    fix: /600s/,
  },
  {
    name: 'the proxy time-out is that of the defaults',
    postfix: [{ ...beforeQueue, main: { smtpd_proxy_timeout: '100s' } }],
    config: asProxy,
    check: 'postfix-timeouts',
    result: 'fail',
    message: /smtpd_proxy_timeout = 100s/,
    fix: /smtpd_proxy_timeout = 600s/,
  },
  {
    name: 'the Milter time-out is shorter than our answer',
    postfix: [{ ...milter, main: { milter_content_timeout: '60s' } }],
    config: asMilter,
    check: 'postfix-timeouts',
    result: 'fail',
    message: /milter_content_timeout = 60s/,
    fix: /300s/,
  },
  {
    name: 'B hangs up on idle sessions',
    postfix: [a, { ...b, main: { smtpd_timeout: '10s' } }],
    check: 'postfix-timeouts',
    result: 'warn',
    message: /smtpd_timeout = 10s/,
    fix: /idleTimeout/,
  },
  {
    name: 'more concurrency than inbound.maxClients',
    postfix: [{ ...a, main: { smtp_destination_concurrency_limit: '300' } }, b],
    check: 'postfix-concurrency',
    result: 'fail',
    message: /smtp_destination_concurrency_limit \(300\) is above inbound\.maxClients \(200\)/,
    fix: /inbound\.maxClients/,
  },
  {
    name: 'more smtpd processes than inbound.maxClients',
    postfix: [{ ...milter, main: { default_process_limit: '500' } }],
    config: asMilter,
    check: 'postfix-concurrency',
    result: 'fail',
    message: /default_process_limit \(500\)/,
    fix: /inbound\.maxClients/,
  },
  {
    name: 'B grants one client few connections',
    postfix: [
      a,
      { ...b, main: { smtpd_client_connection_count_limit: '10', smtpd_client_event_limit_exceptions: '' } },
    ],
    check: 'postfix-concurrency',
    result: 'fail',
    message: /grants one client 10 connections/,
    fix: /smtpd_client_connection_count_limit = 0/,
  },
  {
    name: 'B counts connections in a minute',
    postfix: [a, { ...b, main: { smtpd_client_connection_rate_limit: '30', smtpd_client_event_limit_exceptions: '' } }],
    check: 'postfix-concurrency',
    result: 'warn',
    message: /smtpd_client_connection_rate_limit/,
    fix: /smtpd_client_connection_rate_limit = 0/,
  },
  {
    name: 'B has few processes',
    postfix: [a, { ...b, main: { default_process_limit: '20' } }],
    check: 'postfix-concurrency',
    result: 'warn',
    message: /20 processes/,
    fix: /maxConnections: 20/,
  },
  {
    name: 'many recipients before an LMTP next hop',
    postfix: [a],
    config: { outbound: { nextHop: ['127.0.0.1:24'], protocol: 'lmtp' } },
    check: 'postfix-recipients',
    result: 'warn',
    message: /one recipient in a transaction/,
    fix: /smtp_destination_recipient_limit = 1/,
  },
  {
    name: 'more recipients than we take',
    postfix: [{ ...a, main: { smtp_destination_recipient_limit: '5000' } }, b],
    check: 'postfix-recipients',
    result: 'warn',
    message: /above ours/,
    fix: /= 500/,
  },
  {
    name: 'B takes few recipients',
    postfix: [a, { ...b, main: { smtpd_recipient_limit: '100' } }],
    check: 'postfix-recipients',
    result: 'warn',
    message: /smtpd_recipient_limit \(100\) is below the 500/,
    fix: /smtpd_recipient_limit = 1000/,
  },
  {
    name: 'A insists on TLS that we do not offer',
    postfix: [{ ...a, main: { smtp_tls_security_level: 'encrypt' } }, b],
    check: 'postfix-tls',
    result: 'fail',
    message: /smtp_tls_security_level = encrypt needs TLS/,
    fix: /inbound\.tls\.mode/,
  },
  {
    name: 'A begins with TLS at once',
    postfix: [{ ...a, main: { smtp_tls_wrappermode: 'yes' } }, b],
    check: 'postfix-tls',
    result: 'fail',
    message: /STARTTLS only/,
    fix: /smtp_tls_wrappermode = no/,
  },
  {
    name: 'we insist on TLS that B does not offer',
    postfix: [a, b],
    config: { outbound: { tls: { mode: 'required' } } },
    check: 'postfix-tls',
    result: 'fail',
    message: /offers no TLS/,
    fix: /smtpd_tls_security_level = may/,
  },
  {
    name: 'B insists on TLS that we do not use',
    postfix: [a, { ...b, main: { smtpd_tls_security_level: 'encrypt' } }],
    config: { outbound: { tls: { mode: 'off' } } },
    check: 'postfix-tls',
    result: 'fail',
    message: /outbound\.tls\.mode is off/,
    fix: /opportunistic/,
  },
  {
    name: 'B permits no XFORWARD',
    postfix: [a, { ...b, main: { smtpd_authorized_xforward_hosts: '' } }],
    check: 'postfix-xforward',
    result: 'warn',
    message: /permits no XFORWARD/,
    fix: /smtpd_authorized_xforward_hosts/,
  },
  {
    name: 'a before-queue filter that may not name clients',
    postfix: [beforeQueue],
    config: back,
    check: 'postfix-xforward',
    result: 'warn',
    message: /inbound\.xforwardHosts is empty/,
    fix: /inbound\.xforwardHosts/,
  },
  {
    name: 'a Milter of another version',
    postfix: [{ ...milter, main: { milter_protocol: '2' } }],
    config: asMilter,
    check: 'postfix-milter',
    result: 'fail',
    message: /milter_protocol = 2/,
    fix: /milter_protocol = 6/,
  },
  {
    name: 'mail passes while the Milter is down',
    postfix: [{ ...milter, main: { milter_default_action: 'accept' } }],
    config: asMilter,
    check: 'postfix-milter',
    result: 'warn',
    message: /mail passes with its files/,
    fix: /tempfail/,
  },
  {
    name: 'mail bounces while the Milter is down',
    postfix: [{ ...milter, main: { milter_default_action: 'reject' } }],
    config: asMilter,
    check: 'postfix-milter',
    result: 'fail',
    message: /mail bounces/,
    fix: /tempfail/,
  },
  {
    name: 'local mail is not shown to the Milter',
    postfix: [{ ...milter, main: { non_smtpd_milters: '' } }],
    config: asMilter,
    check: 'postfix-milter',
    result: 'warn',
    message: /non_smtpd_milters/,
    fix: /\$smtpd_milters/,
  },
  {
    name: 'A signs before us',
    postfix: [{ ...a, main: { smtpd_milters: 'inet:127.0.0.1:8891' } }, b],
    check: 'postfix-dkim',
    result: 'warn',
    message: /smtpd_milters = inet:127\.0\.0\.1:8891 seems to sign with DKIM before us/,
    fix: /behind us/,
  },
  {
    name: 'a signing Milter stands before us',
    postfix: [{ ...milter, main: { smtpd_milters: 'unix:opendkim/opendkim.sock, inet:127.0.0.1:10025' } }],
    config: asMilter,
    check: 'postfix-dkim',
    result: 'warn',
    message: /opendkim/,
    fix: /before it in smtpd_milters/,
  },
  {
    name: 'B relays for everybody',
    postfix: [a, { ...b, main: { smtpd_relay_restrictions: 'permit_mynetworks, permit' } }],
    check: 'postfix-open-relay',
    result: 'fail',
    message: /open relay/,
    fix: /reject_unauth_destination/,
  },
  {
    name: 'B relays for all networks',
    postfix: [a, { ...b, main: { mynetworks: '0.0.0.0/0' } }],
    check: 'postfix-open-relay',
    result: 'fail',
    message: /relays for all of 0\.0\.0\.0\/0/,
    fix: /your own networks/,
  },
  {
    name: 'a parameter is misspelled',
    postfix: [{ ...a, main: { smtp_data_done_timout: '600s' } }, b],
    check: 'postfix-files',
    result: 'warn',
    message: /smtp_data_done_timout/,
    fix: /correct/,
  },
];

for (const { name, check, result, message, fix, ...setUp } of broken) {
  test(`found: ${name}`, async (t) => {
    const found = await examineNeighbours(t, setUp);
    const it = found.find((each) => each.check === check && each.result === result && message.test(each.message));
    assert.ok(it, describe(found));
    assert.match(it.fix, fix);
    assert.equal(found.filter(({ result: is, fix: todo }) => is !== 'ok' && todo === '').length, 0);
  });
}

const describe = (found: readonly Finding[]): string =>
  found.map(({ check, result, message }) => `${result} ${check}: ${message}`).join('\n');
