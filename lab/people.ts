/** Everybody who has a mailbox in the lab. The first one sends the sample. */
export const people = ['alice@example.com', 'bob@example.org', 'carol@example.org', 'dave@example.org'] as const;

/** Names by address, as in "Alice Example". */
export const fullNames: Readonly<Record<string, string>> = Object.fromEntries(
  people.map((address) => [
    address,
    `${address.charAt(0).toUpperCase()}${address.slice(1, address.indexOf('@'))} Example`,
  ]),
);
