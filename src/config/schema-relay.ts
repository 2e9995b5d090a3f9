import { hostname, inboundAddress, listenAddress, listenPort, network, nextHop } from './addresses.ts';
import { integer, list, oneOf, text } from './format.ts';
import { derived, follows, key, optional, required } from './key.ts';
import { allowsOneClientOnly } from './one-client.ts';
import { defaultSpoolDirectory, machineName } from './machine.ts';
import { guardKeys, secretText } from './secrets.ts';
import { duration, fileMode, size } from './units.ts';

/** 24 days: just below the longest delay that a timer of Node can count. */
const maxTimer = 24 * 86_400_000;

const path = text('path');
const name = text('name');

/** How mail comes in, goes out and is kept from going in circles. */
export const relaySchema = {
  hostname: derived(hostname, {
    text: '`detach.` and the full name of the machine',
    derive: () => `detach.${machineName()}`,
    doc: 'Name of this server in EHLO, in the banner and in `Received` fields. It must differ from the `myhostname` of both Postfix servers.',
    why: 'Postfix takes a peer that greets with its own name for itself ("loops back to myself"), so the bare name of a machine that is shared with Postfix would not do.',
  }),
  workers: key(integer('number', { min: 1, max: 64 }), {
    default: 1,
    doc: 'Processes that take mail, at best one for each processor; pages and downloads have one of their own besides. Limits (`inbound.maxClients`, `outbound.maxConnections`, `spool.maxBytes` and those per client) hold for all of them together. A process that is lost is replaced; what it had under way, the sending Postfix sends again.',
    why: 'One keeps up with a thousand small messages a second, and with the disks of most mail servers.',
  }),
  inbound: {
    address: key(inboundAddress, {
      default: '127.0.0.1',
      doc: 'Address on which mail is accepted. With `inbound.protocol: milter` also `unix:/path` for a UNIX socket; then `inbound.port` means nothing.',
      why: 'Nothing but the local Postfix can reach it before somebody decides otherwise.',
    }),
    port: key(listenPort, {
      default: 10025,
      doc: 'Port on which mail is accepted; 0 takes any free one.',
      why: 'The port that the Postfix documents use for content filters.',
    }),
    protocol: key(oneOf('smtp', 'lmtp', 'milter'), {
      default: 'smtp',
      doc: 'Protocol spoken to the sending server. LMTP has a reply per recipient after DATA. With `milter` Postfix shows us each message (`smtpd_milters`) and delivers it itself: nothing under `outbound` is needed.',
      why: 'The `relayhost` of Postfix speaks SMTP.',
    }),
    socketMode: key(fileMode, {
      default: '0660',
      doc: 'Permissions of the socket, for an `inbound.address` that begins with `unix:`.',
      why: 'The service and the group of Postfix, nobody else.',
    }),
    socketGroup: optional(name, {
      doc: 'Group that the socket is given to, for an `inbound.address` that begins with `unix:`: the one that Postfix runs in (`postfix`). The service must be a member of it, or run as root.',
      why: 'Without it, the group of the service.',
    }),
    trustedNetworks: key(list(network), {
      default: ['127.0.0.0/8', '::1/128'],
      doc: 'Clients that may send mail. All others are refused when they connect.',
      why: 'Loopback only: this is never an open relay by accident.',
    }),
    maxMessageSize: key(size({ min: 1 }), {
      default: '50MiB',
      doc: 'Largest message that is accepted, as it is offered in EHLO (SIZE). It should be at least the `message_size_limit` of the sending Postfix.',
      why: 'Five times the default of Postfix: large files are what this server is for.',
    }),
    maxClients: key(integer('number', { min: 1, max: 100_000 }), {
      default: 200,
      doc: 'Connections of clients in `inbound.trustedNetworks` served at the same time; further ones are told 421. All others are refused at once and do not count.',
      why: 'Twice the `default_process_limit` of Postfix, so that two of them can connect with all they have.',
    }),
    maxClientsPerAddress: follows(integer('number', { min: 1, max: 100_000 }), {
      text: 'half of `inbound.maxClients`; all of them where `inbound.trustedNetworks` has no more than loopback and one address',
      derive: ({ inbound: { maxClients, trustedNetworks } }) =>
        allowsOneClientOnly(trustedNetworks) ? maxClients : Math.ceil(maxClients / 2),
      doc: 'Connections served at the same time for one client address (behind a load balancer, the one in its PROXY header); further ones are told 421.',
      why: 'One neighbour that goes wrong leaves places for the others; where there is only one, it may have all.',
    }),
    tls: {
      mode: key(oneOf('off', 'optional', 'required'), {
        default: 'off',
        doc: 'STARTTLS for clients: not offered, offered, or required before MAIL.',
        why: 'There is no certificate to begin with, and loopback needs none.',
      }),
      cert: optional(path, {
        doc: 'PEM file with the certificate chain, needed unless `inbound.tls.mode` is `off`.',
        why: 'A certificate names one host.',
      }),
      key: optional(path, {
        doc: 'PEM file with the private key of the certificate, without passphrase.',
        why: 'Belongs to the certificate.',
      }),
    },
    xforwardHosts: key(list(network), {
      default: [],
      doc: 'Clients that may name the original client with XFORWARD: Postfix as before-queue proxy (`smtpd_proxy_filter`).',
      why: 'A client that may say XFORWARD can write any client into the log and the trace fields.',
    }),
    proxyHosts: key(list(network), {
      default: [],
      doc: 'Load balancers that begin each connection with a PROXY header.',
      why: 'A client that may send the header can claim any address, also a trusted one.',
    }),
  },
  outbound: {
    nextHop: required(list(nextHop, { min: 1 }), {
      unless: { key: 'inbound.protocol', is: 'milter', value: [] },
      doc: 'Servers that take the mail, tried in this order: `host:port`, `[host]:port`, `[v6]:port` or `unix:path`.',
      why: 'A guess could send mail back to where it came from.',
    }),
    protocol: key(oneOf('smtp', 'lmtp'), {
      default: 'smtp',
      doc: 'Protocol spoken to the next hop. SMTP clients in front of an LMTP next hop get one recipient per transaction.',
      why: 'The next hop is a Postfix.',
    }),
    tls: {
      mode: key(oneOf('off', 'opportunistic', 'required'), {
        default: 'opportunistic',
        doc: 'STARTTLS towards the next hop: never, where it is offered (without verification, in clear when the handshake fails), or always and verified.',
        why: 'Encrypts wherever that is possible without set-up, like `smtp_tls_security_level = may`.',
      }),
      ca: optional(path, {
        doc: 'PEM file with the authorities that may have signed the certificate of the next hop.',
        why: 'Without it, those that Node trusts.',
      }),
      servername: optional(hostname, {
        doc: 'Name that the certificate of the next hop must carry.',
        why: 'Without it, the host of `outbound.nextHop`.',
      }),
      cert: optional(path, {
        doc: 'PEM file with our certificate chain, shown to a next hop that asks for one (`smtpd_tls_ask_ccert`, `smtpd_tls_req_ccert`).',
        why: 'Most servers ask a client for none.',
      }),
      key: optional(path, {
        doc: 'PEM file with the private key of `outbound.tls.cert`, without passphrase.',
        why: 'Belongs to the certificate.',
      }),
    },
    auth: {
      user: optional(name, {
        doc: 'User for AUTH at the next hop. Needs TLS unless the next hop is on loopback.',
        why: 'A Postfix next door trusts by address.',
      }),
      pass: optional(secretText, { doc: 'Password of `outbound.auth.user`.', why: 'Belongs to the user.' }),
    },
    maxConnections: key(integer('number', { min: 2, max: 10_000 }), {
      default: 50,
      doc: 'Sessions with the next hop at the same time. Must stay below what the next hop grants one client. While several clients send, none uses more than four in five of them. At least 2: a message that loops for some of its recipients goes out beside its notification.',
      why: 'The `smtpd_client_connection_count_limit` of Postfix is 50.',
    }),
    maxIdle: key(integer('number', { min: 0, max: 10_000 }), {
      default: 5,
      doc: 'Sessions kept open while there is no mail; 0 closes each after its message.',
      why: 'Covers ordinary traffic and leaves the processes of the next hop to others.',
    }),
    idleTimeout: key(duration('seconds', { min: 0, max: maxTimer }), {
      default: '30s',
      doc: 'How long an unused session stays open.',
      why: 'Well below the 300 s (10 s under stress) after which Postfix hangs up; a session lost meanwhile is replaced unnoticed.',
    }),
  },
  spool: {
    directory: derived(path, {
      text: '`detach-mta-` and the number of the user, in the temporary folder of the system',
      derive: defaultSpoolDirectory,
      doc: 'Folder for what does not fit into memory while a message passes. Nothing in it is needed after a crash. It is refused where another user could write to it or to a folder above it (a sticky one like `/tmp` may be above it), and where it is a symbolic link. Links above it must belong to root or to the user of the service.',
      why: 'Exists everywhere. Where the temporary folder lies in memory, set one on a disk.',
    }),
    maxBytes: key(size({ min: 1 }), {
      default: '4GiB',
      doc: 'Space that all messages under way may take together; beyond it they are deferred with `452 4.3.1`. While several clients send mail, each of them may take half of it, and at least what one message of `inbound.maxMessageSize` takes. Do not set it lower than that: a message that never fits is deferred until it bounces.',
      why: 'Eighty messages of the largest size at once.',
    }),
  },
  loopguard: {
    cluster: required(
      text('name of 1 to 64 letters, digits, dots, hyphens or underscores', (value) => /^[\w.-]{1,64}$/.test(value)),
      {
        doc: 'Name that all replicas share, and nobody else: mail that comes back to any of them is recognised by it.',
        why: 'Two installations with the same name would refuse each other’s mail.',
      },
    ),
    keys: required(guardKeys(), {
      doc: 'Keys of the stamps, the same on all replicas. The first one signs, all verify. To rotate, add the new key at the end everywhere, move it to the front after that, and remove the old one 14 days later. `printf "k1:%s\\n" "$(openssl rand -base64 32)"` makes one.',
      why: 'A key that is known is none.',
    }),
    maxPasses: key(integer('number', { min: 1, max: 100 }), {
      default: 1,
      doc: 'How often the same message may pass this cluster for the same recipient before it counts as a loop.',
      why: 'A copy that comes back with exactly the recipients it left with has gone in a circle.',
    }),
    hopLimit: key(integer('number', { min: 1, max: 1000 }), {
      default: 50,
      doc: 'Most `Received` fields that a message may have.',
      why: 'The `hopcount_limit` of Postfix.',
    }),
  },
  metrics: {
    address: key(listenAddress, {
      default: '127.0.0.1',
      doc: 'Address of `/metrics`, `/healthz` and `/readyz`.',
      why: 'The figures are nobody else’s business.',
    }),
    port: key(listenPort, {
      default: 9464,
      doc: 'Port of `/metrics`, `/healthz` and `/readyz`; 0 takes any free one.',
      why: 'The customary port of Prometheus exporters in applications.',
    }),
  },
  log: {
    level: key(oneOf('debug', 'info', 'warn', 'error'), {
      default: 'info',
      doc: 'Least level of the lines that are written. Errors carry their stack at `debug` and below.',
      why: 'One line per transaction, and whatever went wrong.',
    }),
    format: key(oneOf('json', 'text'), {
      default: 'json',
      doc: '`json`: one object per line, for programs. `text`: one line per event for people, in columns for transactions, in colour on a terminal.',
      why: 'What is collected is searched by field.',
    }),
  },
} as const;
