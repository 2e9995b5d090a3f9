import { de } from './de.ts';
import { en } from './en.ts';
import { es } from './es.ts';
import { fr } from './fr.ts';
import { it } from './it.ts';
import { nl } from './nl.ts';
import { pt } from './pt.ts';
import type { Words } from './words.ts';

export type Language = 'en' | 'fr' | 'de' | 'es' | 'it' | 'nl' | 'pt';

/** What people read, in every language that `links.language` may name. */
export const words: Readonly<Record<Language, Words>> = { en, fr, de, es, it, nl, pt };
