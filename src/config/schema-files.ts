import {
  accountUrl,
  contact,
  fieldName,
  listenAddress,
  listenPort,
  mailboxOrDomain,
  network,
  publicUrl,
  webAddress,
} from './addresses.ts';
import { type Format, integer, list, oneOf, text, yesOrNo } from './format.ts';
import { key, optional, required } from './key.ts';
import { base64Secrets, connectionString } from './secrets.ts';
import { duration, size } from './units.ts';

/** A century. Longer durations lead to dates that nothing can represent usefully. */
const maxExpiry = 36_525 * 86_400_000;

const path = text('path');

/** A name in a heading. Characters that reverse or hide text stay out; the joiners U+200C and U+200D shape letters. */
const shortText = text(
  'text of at most 100 visible characters',
  (value) =>
    value.trim() !== '' &&
    value.length <= 100 &&
    !/(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/u.test(value),
);

const mediaType = lowerCase(
  text('media type such as application/pdf or image/*', (value) =>
    /^[a-z0-9!#$&^_.+-]+\/(?:\*|[a-z0-9!#$&^_.+-]+)$/i.test(value),
  ),
);

const extension = lowerCase(
  text('extension such as pdf', (value) => /^\.?[^\s.,/\\]{1,32}$/u.test(value)),
  (value) => value.replace(/^\./, ''),
);

/** A value that is compared without case. */
function lowerCase(format: Format<string>, also: (value: string) => string = (value) => value): Format<string> {
  return { ...format, parse: (raw) => also(format.parse(raw)).toLowerCase() };
}

/** Which files leave the message, where they are kept, and how people get them back. */
export const filesSchema = {
  detach: {
    minSize: key(size({ min: 0 }), {
      default: '1MiB',
      doc: 'Files of this decoded size or larger are moved to storage. Lower it when mailboxes fill with smaller files; each file costs its readers a click, and us some 5 ms of CPU with `storage.directory`, however small it is: a message with 500 files of 4 KiB took 70 times the CPU of one of its size with one file.',
      why: 'Below a megabyte a mailbox hardly gains, and the reader would still have to follow a link.',
    }),
    onStorageFailure: key(oneOf('defer', 'pass'), {
      default: 'defer',
      doc: 'What happens to a message whose file cannot be stored: `defer` answers `451 4.3.0` and the sending Postfix tries again, `pass` sends the message on with its files. Set `pass` when mail must never wait for storage.',
      why: 'Storage comes back; a mailbox filled with large files stays full.',
    }),
    totalSize: key(size({ min: 0 }), {
      default: 0,
      doc: 'When the files of a message together reach this size, those of at least `detach.totalMinSize` are moved too, though each is smaller than `detach.minSize`. 0 turns this off.',
      why: 'One rule is easier to explain to readers than two.',
    }),
    totalMinSize: key(size({ min: 0 }), {
      default: '64KiB',
      doc: 'Smallest file that `detach.totalSize` moves.',
      why: 'A message with a hundred tiny files should not become a list of a hundred links.',
    }),
    maxSize: key(size({ min: 0 }), {
      default: 0,
      doc: 'Files larger than this stay in the message. 0 means no limit.',
      why: '`inbound.maxMessageSize` already limits the size of a file.',
    }),
    includeTypes: key(list(mediaType), {
      default: [],
      doc: 'When this or `detach.includeExtensions` is set, only files that match one of the two are moved. `image/*` stands for all images.',
      why: 'Every type of file takes the same space.',
    }),
    excludeTypes: key(list(mediaType), {
      default: [],
      doc: 'Files of these media types stay in the message, even when `detach.includeTypes` or `detach.includeExtensions` names them.',
      why: 'Parts that must never be moved (signed parts, calendars, reports) stay without being listed.',
    }),
    includeExtensions: key(list(extension), {
      default: [],
      doc: 'When this or `detach.includeTypes` is set, only files that match one of the two are moved. Case does not matter.',
      why: 'Every type of file takes the same space.',
    }),
    excludeExtensions: key(list(extension), {
      default: [],
      doc: 'Files with these name extensions stay in the message, even when `detach.includeTypes` or `detach.includeExtensions` names them.',
      why: 'No type of file is known to need it.',
    }),
    includeSenders: key(list(mailboxOrDomain), {
      default: [],
      doc: 'When set, files are moved only out of mail from these senders (reverse-path). An address such as `ann@example.com` includes `ann+anything@example.com`. `example.com` is that domain alone, `.example.com` everything below it.',
      why: 'All mail fills the same mailboxes.',
    }),
    exemptSenders: key(list(mailboxOrDomain), {
      default: [],
      doc: 'Senders (addresses or domains) whose mail keeps its files, even when `detach.includeSenders` names them.',
      why: 'Nobody is exempt before somebody asks for it.',
    }),
    includeRecipients: key(list(mailboxOrDomain), {
      default: [],
      doc: 'When set, files are moved only out of mail to these addresses or domains. All recipients of one transaction must be of one kind: the others get `452 4.5.3`, and Postfix sends the message to them in another transaction.',
      why: 'All mail fills the same mailboxes.',
    }),
    exemptRecipients: key(list(mailboxOrDomain), {
      default: [],
      doc: 'Recipients (addresses or domains) whose mail keeps its files, even when `detach.includeRecipients` names them. Name mailboxes that programs read: printing, tickets, EDI. `help@example.com` includes `help+1234@example.com`. For transactions with both kinds of recipients see `detach.includeRecipients`.',
      why: 'Nobody is exempt before somebody asks for it.',
    }),
    optOut: {
      field: optional(fieldName, {
        doc: 'Name of a header field. A message in which its value is `no` (`X-Detach: no`) keeps its files, if the sender is in `detach.optOut.senders`.',
        why: 'The operator who pays for the mailboxes decides who may fill them.',
      }),
      senders: key(list(mailboxOrDomain), {
        default: [],
        doc: 'Senders (addresses or domains) that may use `detach.optOut.field`; required with it. A reverse-path can be forged: name only senders whose mail you authenticate.',
        why: 'Nobody may use the field until somebody is named.',
      }),
    },
    maxDepth: key(integer('number', { min: 1, max: 100 }), {
      default: 20,
      doc: 'How many levels of multipart and forwarded messages are read. Parts that lie deeper stay as they are. There is rarely a reason to change it.',
      why: 'Mail written by people has a few levels; a message with far more is likely an attack.',
    }),
  },
  storage: {
    connectionString: optional(connectionString, {
      doc: 'Connection string of the Azure storage account. Exactly one of this, `storage.accountUrl` and `storage.directory` must be given.',
      why: 'It contains a password.',
    }),
    accountUrl: optional(accountUrl, {
      doc: 'Address of the blob service of an Azure storage account. Access is by the Azure identity of the machine ([azure.md](azure.md)), so there is no password to keep.',
      why: 'Every account has its own.',
    }),
    directory: optional(path, {
      doc: 'Folder of this machine that keeps the files, instead of an Azure account. It must exist, belong to the user of the service and be closed to others (mode 0700).',
      why: 'The service does not make it: when a disk is not mounted, it would fill the wrong one.',
    }),
    reserve: optional(size({ min: 0 }), {
      doc: 'Free space on the file system of `storage.directory` that files never use. With less free space, mail with files is deferred with `452` and all other mail passes. Without this key it is 5 % of the file system, at least 1 GiB. Unless it is 0, 5 % of the inodes are kept free too. Lower it when the file system holds nothing else.',
      why: 'The queue of Postfix often lies on the same file system, and must not find it full.',
    }),
    container: key(
      text('container name of 3 to 63 lower-case letters, digits and single hyphens', (value) =>
        /^(?=.{3,63}$)[a-z0-9]+(?:-[a-z0-9]+)*$/.test(value),
      ),
      {
        default: 'detach',
        doc: 'Blob container for files, links and manifests; it is created when it is missing. Only for Azure. Links are found in their own container alone: do not change it later.',
        why: 'One account can hold other containers beside this one.',
      },
    ),
  },
  links: {
    baseUrl: required(publicUrl, {
      doc: 'Public address of the download pages, as readers reach it. A link is this, a slash and 22 characters. When you change it, let the old address lead here for as long as old links live: they stand in delivered mail.',
      why: 'Only the operator knows the public name. 77 characters, so that a link has at most 100 and no mail client breaks it.',
    }),
    address: key(listenAddress, {
      default: '127.0.0.1',
      doc: 'Address on which the download pages are served. Change it when the web server in front of it is on another machine.',
      why: 'A web server with TLS is expected in front of it.',
    }),
    port: key(listenPort, {
      default: 8080,
      doc: 'Port on which the download pages are served; 0 takes any free one, which the `ready` line of the log names.',
      why: 'The customary port behind a reverse proxy.',
    }),
    trustedProxies: key(list(network), {
      default: [],
      doc: 'Reverse proxies whose `X-Forwarded-For` is believed. Set it to the addresses of the web server in front: without it, that server is taken for the only reader, in the log and by the limits for each reader (by the limits only when it is not on this machine).',
      why: 'Nobody: any reader can send that field.',
    }),
    secret: required(base64Secrets(16), {
      doc: 'Key from which the tokens of links are derived, the same on all replicas. Whoever knows it can compute links. `openssl rand -base64 32` makes one. To change it, put the new one in front and keep the old ones behind it: the first one writes, all of them find what was indexed with them. Old links go on working in any case; a message that is retried just then gets a second link.',
      why: 'A built-in key would be known to everybody. A token has 128 bits, so its key has at least as many.',
    }),
    expiresAfter: key(duration('days', { min: 0, max: maxExpiry }), {
      default: '90d',
      doc: 'How long a link works; 0 means for ever. A change holds for new links; `detach-mta links extend` gives old ones a later end.',
      why: 'Long enough for a quarter’s work, short enough for storage not to grow without end.',
    }),
    delivery: key(oneOf('stream', 'redirect'), {
      default: 'stream',
      doc: '`stream` sends the bytes through this server, `redirect` sends the browser to a short-lived address of Azure. Set `redirect` when downloads are more than the network of this server carries.',
      why: 'Works where the storage account cannot be reached from outside.',
    }),
    cdnUrl: optional(webAddress, {
      doc: 'Address of a CDN in front of the storage account. Browsers are sent there instead of to Azure. It needs `links.delivery: redirect`. The same signed address is then given out for 5 minutes, so that the CDN can cache it ([cdn.md](cdn.md)).',
      why: 'Only the operator has one.',
    }),
    log: key(oneOf('full', 'anonymous', 'off'), {
      default: 'anonymous',
      doc: 'What is logged of downloads: `full` with the address of the reader, `anonymous` without it, `off` nothing. Errors are always logged. Ask your data protection officer before you set `full`.',
      why: 'Who read which file, and when, is personal data that few need.',
    }),
    logo: optional(path, {
      doc: 'SVG or PNG file of at most 32 kB, shown on the page beside `links.organisation`. It becomes a part of the page: nothing is fetched from elsewhere.',
      why: 'Only the operator has one.',
    }),
    colour: optional(
      text('colour such as #0b57d0', (value) => /^#(?:[0-9a-f]{3}|[0-9a-f]{6})$/i.test(value)),
      {
        doc: 'Colour of the buttons on the page, as CSS writes it in hex. The text on them is white or black, whichever has more contrast.',
        why: 'The built-in blue can be read on light and on dark pages.',
      },
    ),
    showSender: key(yesOrNo, {
      default: true,
      doc: 'Whether the page names the sender, as stated in the From field of the mail.',
      why: 'Readers ask first whether a file comes from somebody they know.',
    }),
    showSubject: key(yesOrNo, {
      default: false,
      doc: 'Whether the page shows the subject of the message.',
      why: 'A link is forwarded more easily than a message, and a subject can reveal much.',
    }),
    language: key(oneOf('en', 'fr', 'de', 'es', 'it', 'nl', 'pt'), {
      default: 'en',
      doc: 'Language of the notice in the mail, and of the page for a browser that asks for none of these languages.',
      why: 'The most widely understood of these.',
    }),
    position: key(oneOf('newest', 'top', 'end'), {
      default: 'newest',
      doc: 'Where the notice stands in a text: `newest` after what the sender wrote and before what is quoted, forwarded or signed below it, `top` above everything, `end` below everything but the sender’s own signature.',
      why: 'The reader looks there, and nobody takes the notice for a part of an older message.',
    }),
    maxInNotice: key(integer('number', { min: 1, max: 500 }), {
      default: 5,
      doc: 'A message with up to this many files has a link for each of them. One with more has the names of all files and a single link, to a page with all of them.',
      why: 'Thirty photos would make a notice of thirty links.',
    }),
    organisation: optional(shortText, {
      doc: 'Name of the organisation that keeps the files, as readers know it: `Example University`. It stands in the notice and on the page. Set it: readers trust a link from a name they know.',
      why: 'Only the operator knows it.',
    }),
    contact: optional(contact, {
      doc: 'Mail address or web address that readers can turn to with questions. It stands in the notice and on the page.',
      why: 'Only the operator knows it.',
    }),
    templates: {
      text: optional(path, {
        doc: 'UTF-8 file of at most 32 kB with the notice for text bodies, instead of the built-in one. What stands between `{{#files}}` and `{{/files}}` is repeated for each file, with `{{name}}`, `{{size}}`, `{{kind}}`, `{{type}}` and `{{url}}` filled in; `{{expires}}`, `{{organisation}}`, `{{contact}}` and `{{page}}` may stand anywhere. What stands between `{{#page}}` and `{{/page}}` is left out where a message has no page of all its files.',
        why: 'The built-in notice needs no file.',
      }),
      html: optional(path, {
        doc: 'UTF-8 file of at most 32 kB with the notice for HTML bodies, instead of the built-in one. Filled in like `links.templates.text`, with everything escaped.',
        why: 'The built-in notice needs no file.',
      }),
      filePage: optional(path, {
        doc: 'UTF-8 file of at most 32 kB with the middle of the page of one file, instead of the built-in one: an HTML fragment, filled in like `links.templates.html`. `{{url}}` leads to the bytes and `{{page}}` to the page itself; there are also `{{sha256}}` between `{{#files}}` and `{{/files}}`, and `{{sender}}`, `{{subject}}` and `{{sent}}` everywhere. It may begin with one `<style>` element; nothing is fetched for a page. It has one language, that of `links.language`. See [what readers see](readers.md).',
        why: 'The built-in page needs no file, and speaks seven languages.',
      }),
      messagePage: optional(path, {
        doc: 'The same for the page of a message of several files. `{{archive}}` leads to all of them as ZIP. Between `{{#files}}` and `{{/files}}` stand those that can be downloaded; what stands between `{{#missing}}` and `{{/missing}}` is repeated for the others, which have no `{{url}}`. `{{state}}` says why, and is mostly empty for those that can be downloaded. Links to the other pages of a long list follow by themselves.',
        why: 'The built-in page needs no file, and speaks seven languages.',
      }),
    },
  },
} as const;
