import assert from 'node:assert/strict';
import { test } from 'node:test';
import { words } from './languages.ts';
import { writtenEnd, writtenSize } from './written.ts';

test('every language has twelve months and no word that HTML would read as markup', () => {
  for (const [tag, ours] of Object.entries(words)) {
    assert.equal(ours.tag, tag);
    assert.equal(new Set(ours.months.split(' ')).size, 12, tag);
    assert.doesNotMatch(JSON.stringify(ours), /[<>&]/, tag);
  }
});

test('dates and sizes are written as the language writes them', () => {
  const first = new Date('2027-03-01T12:00:00Z');
  const eighth = new Date('2027-08-08T23:59:59Z');
  const expected = {
    en: ['available until 1 March 2027', 'available until 8 August 2027', '2.4 MB'],
    fr: ["disponible jusqu'au 1er mars 2027", "disponible jusqu'au 8 août 2027", '2,4 Mo'],
    de: ['verfügbar bis 1. März 2027', 'verfügbar bis 8. August 2027', '2,4 MB'],
    es: ['disponible hasta el 1 de marzo de 2027', 'disponible hasta el 8 de agosto de 2027', '2,4 MB'],
    it: ['disponibile fino al 1º marzo 2027', 'disponibile fino all’8 agosto 2027', '2,4 MB'],
    nl: ['beschikbaar tot 1 maart 2027', 'beschikbaar tot 8 augustus 2027', '2,4 MB'],
    pt: ['disponível até 1 de março de 2027', 'disponível até 8 de agosto de 2027', '2,4 MB'],
  } as const;
  for (const [tag, written] of Object.entries(expected)) {
    const ours = words[tag as keyof typeof expected];
    assert.deepEqual([writtenEnd(ours, first), writtenEnd(ours, eighth), writtenSize(ours, 2_400_000)], written);
    assert.equal(writtenEnd(ours, undefined), ours.forever);
  }
});
