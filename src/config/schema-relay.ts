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
    doc: 'Number of processes that take mail. Pages and downloads have one more process of their own. Limits (`inbound.maxClients`, `outbound.maxConnections`, `spool.maxBytes` and those per client) hold for all of them together. A process that is lost is replaced; the sending Postfix sends again what it had under way. Raise it when the one mail process uses a whole processor and others are free; more processes than processors make it slower.',
    why: 'One keeps up with a thousand small messages a second, and with the disks of most mail servers.',
  }),
  inbound: {
    address: key(inboundAddress, {
      default: '127.0.0.1',
      doc: 'Address on which mail is accepted. With `inbound.protocol: milter` also `unix:/path` for a UNIX socket; then `inbound.port` has no effect. Change it when Postfix is on another machine, together with `inbound.trustedNetworks`.',
      why: 'Nothing but the local Postfix can reach it before somebody decides otherwise.',
    }),
    port: key(listenPort, {
      default: 10025,
      doc: 'Port on which mail is accepted; 0 takes any free one, which the `ready` line of the log names.',
      why: 'The port that the Postfix documents use for content filters.',
    }),
    protocol: key(oneOf('smtp', 'lmtp', 'milter'), {
      default: 'smtp',
      doc: 'Protocol spoken to the sending server. `lmtp` gives a reply for each recipient after DATA. With `milter` Postfix shows us each message (`smtpd_milters`) and delivers it itself: nothing under `outbound` is needed.',
      why: 'The `relayhost` of Postfix speaks SMTP.',
    }),
    socketMode: key(fileMode, {
      default: '0660',
      doc: 'Permissions of the UNIX socket; used only when `inbound.address` begins with `unix:`.',
      why: 'The service and the group of Postfix, nobody else.',
    }),
    socketGroup: optional(name, {
      doc: 'Group of the UNIX socket; used only when `inbound.address` begins with `unix:`. Set it to the group that Postfix runs in (`postfix`); the service must be a member of it, or run as root.',
      why: 'The socket then has the group of the service.',
    }),
    trustedNetworks: key(list(network), {
      default: ['127.0.0.0/8', '::1/128'],
      doc: 'Clients that may send mail. All others are refused when they connect. Set it to the addresses of the sending Postfix servers when they are not on this machine.',
      why: 'Loopback only: this is never an open relay by accident.',
    }),
    maxMessageSize: key(size({ min: 1 }), {
      default: '50MiB',
      doc: 'Largest message that is accepted, in its encoded form; EHLO offers it as SIZE. Larger ones are refused with `552 5.3.4`. It must be at least the `message_size_limit` of the sending Postfix: raise the two together.',
      why: 'Five times the default of Postfix: large files are what this server is for.',
    }),
    maxClients: key(integer('number', { min: 1, max: 100_000 }), {
      default: 200,
      doc: 'Connections of clients in `inbound.trustedNetworks` that are served at the same time; further ones get `421`. Clients outside of them are refused and do not count. Raise it when several Postfix servers together may open more connections (`smtp_destination_concurrency_limit`).',
      why: 'Twice the `default_process_limit` of Postfix, so that two of them can connect with all they have.',
    }),
    maxClientsPerAddress: follows(integer('number', { min: 1, max: 100_000 }), {
      text: 'half of `inbound.maxClients`; all of them where `inbound.trustedNetworks` has no more than loopback and one address',
      derive: ({ inbound: { maxClients, trustedNetworks } }) =>
        allowsOneClientOnly(trustedNetworks) ? maxClients : Math.ceil(maxClients / 2),
      doc: 'Connections served at the same time for one client address (behind a load balancer, the one in its PROXY header); further ones get `421`. Raise it when one Postfix sends nearly all mail and others send little.',
      why: 'One neighbour that goes wrong leaves places for the others; where there is only one, it may have all.',
    }),
    tls: {
      mode: key(oneOf('off', 'optional', 'required'), {
        default: 'off',
        doc: 'STARTTLS for clients: `off` does not offer it, `optional` offers it, `required` refuses MAIL without it. Change it when mail comes over a network that others can read.',
        why: 'There is no certificate to begin with, and loopback needs none.',
      }),
      cert: optional(path, {
        doc: 'PEM file with the certificate chain, needed unless `inbound.tls.mode` is `off`.',
        why: 'There is nothing that could stand in for it.',
      }),
      key: optional(path, {
        doc: 'PEM file with the private key of `inbound.tls.cert`, without passphrase.',
        why: 'Belongs to the certificate.',
      }),
    },
    xforwardHosts: key(list(network), {
      default: [],
      doc: 'Clients that may name the original client with XFORWARD. Set it to the address of a Postfix that uses this server as its before-queue filter (`smtpd_proxy_filter`).',
      why: 'Nobody: a client that may use XFORWARD can put any address into the log and the trace fields.',
    }),
    proxyHosts: key(list(network), {
      default: [],
      doc: 'Load balancers that begin each connection with a PROXY header (version 1 or 2). From these addresses the header is required.',
      why: 'Nobody: a client that may send the header can claim any address, also a trusted one.',
    }),
  },
  outbound: {
    nextHop: required(list(nextHop, { min: 1 }), {
      unless: { key: 'inbound.protocol', is: 'milter', value: [] },
      doc: 'Servers that take the mail. They are tried in this order, 30 seconds in all; the first that answers gets the message.',
      why: 'A guess could send mail back to where it came from.',
    }),
    protocol: key(oneOf('smtp', 'lmtp'), {
      default: 'smtp',
      doc: 'Protocol spoken to the next hop. Set `lmtp` when mail goes straight to a mail store such as Dovecot. Clients that speak SMTP then get one recipient per transaction, and `452 4.5.3` for the others.',
      why: 'The next hop is a Postfix.',
    }),
    tls: {
      mode: key(oneOf('off', 'opportunistic', 'required'), {
        default: 'opportunistic',
        doc: 'STARTTLS towards the next hop. `off` never uses it. `opportunistic` uses it where it is offered, does not verify the certificate, and goes on in clear text when the handshake fails. `required` uses it always, verifies the certificate, and sends nothing otherwise. Set `required` when the network to the next hop is not yours.',
        why: 'Encrypts wherever that is possible without set-up, like `smtp_tls_security_level = may`.',
      }),
      ca: optional(path, {
        doc: 'PEM file with the authorities that may have signed the certificate of the next hop. Set it when the next hop has a certificate of your own authority.',
        why: 'The authorities that Node trusts are used then.',
      }),
      servername: optional(hostname, {
        doc: 'Name that the certificate of the next hop must carry.',
        why: 'The host in `outbound.nextHop` is used then.',
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
      doc: 'Sessions with the next hop at the same time. It must not be more than the next hop grants one client, and not less than `workers`. While several clients send, none uses more than 80 % of them. At least 2 are needed: a message that loops for some of its recipients goes out at the same time as its notification. Mail that finds no session free for 30 s gets `451 4.4.5`: raise it, and the limits of the next hop, when the log shows that.',
      why: 'The `smtpd_client_connection_count_limit` of Postfix is 50.',
    }),
    maxIdle: key(integer('number', { min: 0, max: 10_000 }), {
      default: 5,
      doc: 'Sessions that stay open while there is no mail; 0 closes each after its message. Raise it to the number of sessions that are usual in a busy hour when many small messages come.',
      why: 'Enough for ordinary traffic; every open session occupies a process of the next hop.',
    }),
    idleTimeout: key(duration('seconds', { min: 0, max: maxTimer }), {
      default: '30s',
      doc: 'How long an unused session with the next hop stays open. It must be shorter than `smtpd_timeout` of the next hop.',
      why: 'Well below the 300 s (10 s under stress) after which Postfix hangs up; a session lost meanwhile is replaced unnoticed.',
    }),
  },
  spool: {
    directory: derived(path, {
      text: '`detach-mta-` and the number of the user, in the temporary folder of the system',
      derive: defaultSpoolDirectory,
      doc: 'Folder for parts of messages that are under way and do not fit into memory. Nothing in it is needed after a crash. The service refuses a folder that another user can write to, one below such a folder (a sticky one like `/tmp` is allowed), and a symbolic link. Links above it must belong to root or to the user of the service.',
      why: 'Such a folder can be made everywhere. Set another one when the temporary folder is in memory (tmpfs) or on a small disk.',
    }),
    maxBytes: key(size({ min: 1 }), {
      default: '4GiB',
      doc: 'Space that all messages under way may take together; beyond it they are deferred with `452 4.3.1`. While several clients send mail, each may use half of it, and always as much as one message of `inbound.maxMessageSize` needs. Do not set it lower than that: a message that never fits is deferred until it bounces. Lower it when the disk is smaller; raise it when large messages get `452` while the disk has room.',
      why: 'Room for eighty messages of 50 MiB at once.',
    }),
  },
  loopguard: {
    cluster: required(
      text('name of 1 to 64 letters, digits, dots, hyphens or underscores', (value) => /^[\w.-]{1,64}$/.test(value)),
      {
        doc: 'Name of this installation, the same on all its replicas and on no other server. Mail that comes back to any of them is recognised by it. Do not change it while mail is on its way: a loop that runs then is found only by its hop count.',
        why: 'Two installations with the same name would refuse each other’s mail.',
      },
    ),
    keys: required(guardKeys(), {
      doc: 'Keys of the stamps that the loop guard puts into each message, the same on all replicas. The first one signs, all of them verify. To rotate, add the new key at the end everywhere, move it to the front after that, and remove the old one 14 days later. `printf "k1:%s\\n" "$(openssl rand -base64 32)"` makes one.',
      why: 'A built-in key would be known to everybody.',
    }),
    maxPasses: key(integer('number', { min: 1, max: 100 }), {
      default: 1,
      doc: 'How many times the same message may pass this cluster for the same recipient. Once more counts as a loop and is refused with `554 5.4.6`. Raise it only when mail must pass twice on purpose, by the number of additional passes.',
      why: 'A copy that comes back with exactly the recipients it left with has gone in a circle.',
    }),
    hopLimit: key(integer('number', { min: 1, max: 1000 }), {
      default: 50,
      doc: 'A message with this many `Received` fields, or more, is refused with `554 5.4.6`. Lower it never below the number of servers that your mail really passes.',
      why: 'The default of `hopcount_limit` in Postfix, which counts the same way.',
    }),
  },
  metrics: {
    address: key(listenAddress, {
      default: '127.0.0.1',
      doc: 'Address on which `/metrics`, `/healthz` and `/readyz` are served. Change it when Prometheus or a load balancer asks from another machine; there is no password.',
      why: 'Only this machine can read the figures.',
    }),
    port: key(listenPort, {
      default: 9464,
      doc: 'Port on which `/metrics`, `/healthz` and `/readyz` are served; 0 takes any free one, which the `ready` line of the log names.',
      why: 'The customary port of Prometheus exporters in applications.',
    }),
  },
  log: {
    level: key(oneOf('debug', 'info', 'warn', 'error'), {
      default: 'info',
      doc: 'Least severe level that is written. `debug` adds requests for pages, new sessions with the next hop, why parts stayed in a message, and the stack of errors: set it while you look for a fault.',
      why: 'One line per transaction, and whatever went wrong.',
    }),
    format: key(oneOf('json', 'text'), {
      default: 'json',
      doc: '`json`: one object per line, for programs. `text`: one line per event for people, in columns for transactions, in colour on a terminal.',
      why: 'Programs that collect logs search them by field.',
    }),
  },
} as const;
