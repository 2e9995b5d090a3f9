import { notificationWriter } from '../../src/loopguard/notification.ts';
import { failureReply } from '../../src/smtp/failures.ts';
import { guardOf } from './guards.ts';
import { onward, start, type Journey } from './journey.ts';
import { blockOf, isField, mailboxName, originalFields, touched, type Copy, type Mail } from './mail.ts';
import type { Network, Server } from './network.ts';

/** How the path of one copy ended. */
export type Outcome =
  | { readonly kind: 'delivered'; readonly mailbox: number; readonly journey: Journey }
  /** The sender is told: a message that starts at a server. */
  | {
      readonly kind: 'reported';
      readonly address: number;
      readonly journey: Journey;
      readonly why: Why;
      readonly report: Report;
    }
  /** Null-sender mail that fails is dropped, as the standard requires. */
  | { readonly kind: 'dropped'; readonly address: number; readonly journey: Journey; readonly why: Why }
  /** Postfix delivers only one copy of a message to a mailbox. */
  | { readonly kind: 'merged'; readonly address: number; readonly journey: Journey };

export type Why = 'unknown' | 'stamp' | 'count' | 'call' | 'hops' | 'delivered-to' | 'alias-circle';

/** A bounce by a server, or a notification by a filter: sent once, whatever it lists. */
export interface Report {
  readonly to: number;
  /** The server that it starts from. */
  readonly from: number;
  readonly copies: readonly Copy[];
  /** The outcomes of the report itself. */
  readonly outcomes: Outcome[];
}

export interface Result {
  readonly outcomes: readonly Outcome[];
  readonly reports: readonly Report[];
  /** Sessions between filters that call one another, at the worst transaction. */
  readonly longestCall: number;
  readonly transactions: number;
}

/** Refused copies and why; all others were accepted. */
type Verdicts = ReadonlyMap<Copy, Why>;

const hopcountLimit = 50;
/** No network of this size needs as many: a message that does never ends. */
const maxTransactions = 20_000;
const startTime = Date.UTC(2026, 0, 15, 12);

class NeverRests extends Error {}

/**
 * Moves a message through a network until no copy is under way. Servers do what Postfix does; filters do what
 * `relay.ts` does, with the real guard. `guarded: false` removes the guard, to see what would happen to this one
 * message; reports are then written but not sent.
 */
export function simulate(network: Network, { guarded }: { readonly guarded: boolean }): Result {
  return new Simulation(network, guarded).run();
}

interface Queued {
  readonly server: number;
  readonly mail: Mail;
  readonly outcomes: Outcome[];
}

class Simulation {
  readonly #network: Network;
  readonly #guarded: boolean;
  readonly #queue: Queued[] = [];
  readonly #reports: Report[] = [];
  readonly #notify = notificationWriter({ hostname: 'detach.example.com' });
  #transactions = 0;
  #longestCall = 0;

  constructor(network: Network, guarded: boolean) {
    this.#network = network;
    this.#guarded = guarded;
  }

  run(): Result {
    const { message } = this.#network;
    const outcomes: Outcome[] = [];
    const copies = message.recipients.map((address) => ({ address, journey: start(address) }));
    const mail = { fields: originalFields(message), reversePath: message.sender, copies };
    this.#fail(message.origin, mail, this.#receive(message.origin, mail, outcomes), outcomes);
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) this.#work(next);
    return {
      outcomes,
      reports: this.#reports,
      longestCall: this.#longestCall,
      transactions: this.#transactions,
    };
  }

  /** The time of the simulation: the same within a transaction, later for later transactions. */
  get #now(): number {
    return startTime + this.#transactions * 1000;
  }

  /** Mail that a server makes itself, by an alias or as a report: no Milter sees it. */
  #submit(server: number, mail: Mail, outcomes: Outcome[]): void {
    const refused = this.#acceptMail(server, mail, outcomes);
    this.#fail(server, mail, refused, outcomes);
  }

  /** End of DATA at a server: into its queue, unless the message has been everywhere. */
  #acceptMail(server: number, mail: Mail, outcomes: Outcome[]): Verdicts {
    if (mail.fields.filter(isField('Received')).length >= hopcountLimit) return all(mail.copies, 'hops');
    this.#queue.push({ server, mail: this.#arrived(server, mail), outcomes });
    return new Map();
  }

  /** The same for mail from elsewhere, which the server shows to its Milter first. */
  #receive(server: number, mail: Mail, outcomes: Outcome[]): Verdicts {
    const { milter } = this.#network.servers[server]!;
    if (!milter || !this.#guarded) return this.#acceptMail(server, mail, outcomes);
    if (mail.fields.filter(isField('Received')).length >= hopcountLimit) return all(mail.copies, 'hops');
    const shown = this.#showMilter(milter, this.#arrived(server, mail));
    if (typeof shown === 'string') return all(mail.copies, shown);
    this.#queue.push({ server, mail: shown, outcomes });
    return new Map();
  }

  #arrived(server: number, mail: Mail): Mail {
    const { fields, blinded } = touched(mail.fields, this.#network, server);
    const copies = mail.copies.map(({ address, journey }) => {
      const here = onward(journey, { kind: 'server', server, address });
      return { address, journey: blinded ? onward(here, { kind: 'blinded' }) : here };
    });
    return { ...mail, fields, copies };
  }

  /** What `course/milter.ts` does. @returns the message with a stamp on top, or why all of it is refused */
  #showMilter({ cluster, signsWith }: NonNullable<Server['milter']>, mail: Mail): Mail | Why {
    const guard = guardOf(cluster, this.#network.clusters[cluster]!.maxPasses, signsWith);
    // The server's own Received field is not shown.
    const header = blockOf(mail.fields.slice(1));
    const reversePath = mailboxName(mail.reversePath);
    const names = mail.copies.map((copy) => mailboxName(copy.address));
    const inspection = guard.inspect(header, { recipients: names, reversePath, now: this.#now });
    if (inspection.kind === 'refuse') return 'count';
    if (inspection.looping.length > 0 && inspection.looping.every((loops) => loops)) return 'stamp';
    const company = mail.copies.length;
    const copies = mail.copies.map(({ address, journey }, i) => {
      const tolerated = inspection.looping[i] ?? false;
      const step = { kind: 'pass', cluster, address, reversePath: mail.reversePath, company, tolerated } as const;
      return { address, journey: onward(journey, step) };
    });
    return {
      ...mail,
      fields: [guard.stamp(header, { recipients: names, reversePath, now: this.#now }), ...mail.fields],
      copies,
    };
  }

  #work({ server, mail, outcomes }: Queued): void {
    const remote: Copy[] = [];
    const seen = new Set<number>();
    const expand = (copy: Copy, within: readonly number[]): void => {
      const { address, journey } = copy;
      const entry = this.#network.addresses[address]!;
      if (within.includes(address)) {
        this.#fail(server, mail, new Map([[copy, 'alias-circle']]), outcomes);
      } else if (seen.has(address)) outcomes.push({ kind: 'merged', address, journey });
      else {
        seen.add(address);
        if (entry.home !== server) remote.push(copy);
        else if (entry.kind === 'mailbox') outcomes.push({ kind: 'delivered', mailbox: address, journey });
        else if (entry.kind === 'unknown') this.#fail(server, mail, new Map([[copy, 'unknown']]), outcomes);
        else if (entry.kind === 'virtual') {
          for (const target of entry.targets) expand({ address: target, journey }, [...within, address]);
        } else this.#forward(server, mail, copy, outcomes);
      }
    };
    for (const copy of mail.copies) expand(copy, []);
    for (const { destination, copies } of this.#batches(server, remote)) {
      const batch = { ...mail, copies };
      this.#transactions += 1;
      if (this.#transactions > maxTransactions) throw new NeverRests('the message never comes to rest');
      const refused =
        destination.to === 'server'
          ? this.#sendToServer(destination.index, batch, outcomes)
          : this.#sendToFilter(destination.index, batch, outcomes);
      this.#fail(server, batch, refused, outcomes);
    }
  }

  /** An alias or list that makes a new message of it. */
  #forward(server: number, mail: Mail, copy: Copy, outcomes: Outcome[]): void {
    const entry = this.#network.addresses[copy.address]!;
    if (entry.kind !== 'forward' && entry.kind !== 'list') return;
    const deliveredTo = `Delivered-To: ${mailboxName(copy.address)}\r\n`;
    if (mail.fields.includes(deliveredTo)) {
      this.#fail(server, mail, new Map([[copy, 'delivered-to']]), outcomes);
      return;
    }
    const reversePath = entry.kind === 'list' && mail.reversePath !== undefined ? entry.owner : mail.reversePath;
    const copies = entry.targets.map((address) => ({ address, journey: copy.journey }));
    this.#submit(server, { fields: [deliveredTo, ...mail.fields], reversePath, copies }, outcomes);
  }

  #batches(
    server: number,
    copies: readonly Copy[],
  ): Iterable<{ destination: { to: 'server' | 'filter'; index: number }; copies: readonly Copy[] }> {
    const { route, splits } = this.#network.servers[server]!;
    const batches = new Map<string, { destination: { to: 'server' | 'filter'; index: number }; copies: Copy[] }>();
    for (const copy of copies) {
      const destination =
        route.to === 'home' ? { to: 'server' as const, index: this.#network.addresses[copy.address]!.home } : route;
      const name = splits ? String(copy.address) : `${destination.to} ${destination.index}`;
      const batch = batches.get(name);
      if (batch) batch.copies.push(copy);
      else batches.set(name, { destination, copies: [copy] });
    }
    return batches.values();
  }

  #sendToServer(server: number, mail: Mail, outcomes: Outcome[]): Verdicts {
    const refused = new Map<Copy, Why>();
    for (const copy of mail.copies) if (this.#isUnknown(server, copy.address)) refused.set(copy, 'unknown');
    const copies = mail.copies.filter((copy) => !refused.has(copy));
    if (copies.length === 0) return refused;
    return new Map([...refused, ...byAddress(copies, this.#receive(server, { ...mail, copies }, outcomes))]);
  }

  /** A whole transaction with a filter, as `relay.ts` leads it. */
  #sendToFilter(filter: number, mail: Mail, outcomes: Outcome[]): Verdicts {
    if (this.#guarded && !this.#mailPasses(filter, undefined, 1)) return all(mail.copies, 'call');
    if (!this.#guarded && !this.#mailEnds(filter)) return all(mail.copies, 'call');
    const refused = new Map<Copy, Why>();
    for (const copy of mail.copies) if (this.#isUnknownBehind(filter, copy.address)) refused.set(copy, 'unknown');
    const copies = mail.copies.filter((copy) => !refused.has(copy));
    if (copies.length === 0) return refused;
    return new Map([...refused, ...this.#data(filter, { ...mail, copies }, outcomes)]);
  }

  /** MAIL at a filter, which says it to its next hop before it answers. */
  #mailPasses(filter: number, chain: string | undefined, depth: number): boolean {
    this.#longestCall = Math.max(this.#longestCall, depth);
    const { next } = this.#network.filters[filter]!;
    const guard = this.#guard(filter);
    if (!guard.admits(chain)) return false;
    if (next.to === 'server') return true;
    if (guard.isOurs(this.#guard(next.index).fingerprint)) return false;
    return this.#mailPasses(next.index, guard.extendChain(chain), depth + 1);
  }

  #mailEnds(filter: number, seen: readonly number[] = []): boolean {
    const { next } = this.#network.filters[filter]!;
    if (seen.includes(filter)) return false;
    return next.to === 'server' || this.#mailEnds(next.index, [...seen, filter]);
  }

  #data(filter: number, mail: Mail, outcomes: Outcome[]): Verdicts {
    const { cluster, next } = this.#network.filters[filter]!;
    if (!this.#guarded) return this.#sendOn(next, mail, outcomes);
    const guard = this.#guard(filter);
    const header = blockOf(mail.fields);
    const reversePath = mailboxName(mail.reversePath);
    const names = mail.copies.map((copy) => mailboxName(copy.address));
    const inspection = guard.inspect(header, { recipients: names, reversePath, now: this.#now });
    if (inspection.kind === 'refuse') return all(mail.copies, 'count');
    const looping = mail.copies.filter((_, i) => inspection.looping[i]);
    const passing = mail.copies.filter((_, i) => !inspection.looping[i]);
    if (passing.length === 0) return all(mail.copies, 'stamp');
    const id = `T${this.#transactions}`;
    const trace = { helo: 'a', address: '127.0.0.1', protocol: 'ESMTP', hostname: 'detach.example.com', id };
    const passed = passing.map((copy) => mailboxName(copy.address));
    const stamped: Mail = {
      reversePath: mail.reversePath,
      fields: [
        guard.received(trace, this.#now),
        guard.stamp(header, { recipients: passed, reversePath, now: this.#now }),
        ...mail.fields,
      ],
      copies: passing.map(({ address, journey }) => {
        const company = passing.length;
        const step = { kind: 'pass', cluster, address, reversePath: mail.reversePath, company } as const;
        return { address, journey: onward(journey, step) };
      }),
    };
    const refused = byAddress(passing, this.#sendOn(next, stamped, outcomes));
    // Refused after the dot: one reply for all of the transaction, the looping ones included, and no notification.
    if (refused.size > 0) return all(mail.copies, [...refused.values()][0]!);
    if (looping.length > 0) this.#notifySender(filter, mail, looping, outcomes);
    return new Map();
  }

  #notifySender(filter: number, mail: Mail, looping: readonly Copy[], outcomes: Outcome[]): void {
    const notification = this.#notify({
      mail: { path: `<${mailboxName(mail.reversePath)}>`, params: [] },
      header: blockOf(mail.fields),
      recipients: looping.map(({ address }) => ({
        command: { path: `<${mailboxName(address)}>`, params: [] },
        reply: failureReply('loop', ` for <${mailboxName(address)}>`),
      })),
      now: this.#now,
    });
    if ((notification === undefined) !== (mail.reversePath === undefined)) throw new Error('who is told?');
    const listed = notification?.message.toString('latin1').match(/^Final-Recipient: .*$/gm)?.length ?? 0;
    if (notification && listed !== looping.length) throw new Error('not all of them are reported');
    this.#fail(this.#serverBehind(filter), { ...mail, copies: looping }, all(looping, 'stamp'), outcomes);
  }

  #sendOn(next: { to: 'server' | 'filter'; index: number }, mail: Mail, outcomes: Outcome[]): Verdicts {
    return next.to === 'server' ? this.#receive(next.index, mail, outcomes) : this.#data(next.index, mail, outcomes);
  }

  /** One bounce for all that a server could not deliver in one go, or none when nobody wants it. */
  #fail(server: number, mail: Mail, refused: Verdicts, outcomes: Outcome[]): void {
    if (refused.size === 0) return;
    const to = mail.reversePath;
    if (to === undefined) {
      for (const [{ address, journey }, why] of refused) outcomes.push({ kind: 'dropped', address, journey, why });
      return;
    }
    const report: Report = { to, from: server, copies: [...refused.keys()], outcomes: [] };
    this.#reports.push(report);
    for (const [{ address, journey }, why] of refused) {
      outcomes.push({ kind: 'reported', address, journey, why, report });
    }
    if (!this.#guarded) return;
    const fields = [
      `Message-ID: <report${this.#reports.length}@example.com>\r\n`,
      'Date: Thu, 15 Jan 2026 12:00:00 +0000\r\n',
      'From: MAILER-DAEMON@example.com\r\n',
    ];
    this.#submit(
      server,
      { fields, reversePath: undefined, copies: [{ address: to, journey: start(to) }] },
      report.outcomes,
    );
  }

  #guard(filter: number) {
    const { cluster, signsWith } = this.#network.filters[filter]!;
    return guardOf(cluster, this.#network.clusters[cluster]!.maxPasses, signsWith);
  }

  #isUnknown(server: number, address: number): boolean {
    const entry = this.#network.addresses[address]!;
    return entry.home === server && entry.kind === 'unknown';
  }

  #isUnknownBehind(filter: number, address: number): boolean {
    return this.#isUnknown(this.#serverBehind(filter), address);
  }

  #serverBehind(filter: number): number {
    const { next } = this.#network.filters[filter]!;
    return next.to === 'server' ? next.index : this.#serverBehind(next.index);
  }
}

function all(copies: readonly Copy[], why: Why): Verdicts {
  return new Map(copies.map((copy) => [copy, why]));
}

/** Verdicts on copies further along, as verdicts on the copies that they were made of. */
function byAddress(copies: readonly Copy[], verdicts: Verdicts): Verdicts {
  const whys = new Map([...verdicts].map(([copy, why]) => [copy.address, why]));
  return new Map(copies.flatMap((copy) => (whys.has(copy.address) ? [[copy, whys.get(copy.address)!] as const] : [])));
}
