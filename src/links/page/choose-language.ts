import { type Language, words } from '../words/languages.ts';

/** The language a browser asks for (RFC 9110 section 12.5.4) among ours; `preset` when it asks for none of them. */
export function chooseLanguage(acceptLanguage: string | undefined, preset: Language): Language {
  let best: { readonly language: Language; readonly weight: number } | undefined;
  for (const range of (acceptLanguage ?? '').slice(0, 1000).split(',')) {
    const [, tag = '', quality] = /^\s*([a-z]{1,8}|\*)(?:-[a-z0-9-]*)?\s*(?:;\s*q=([\d.]+)\s*)?$/i.exec(range) ?? [];
    const weight = quality === undefined ? 1 : Number(quality);
    const language = tag === '*' ? preset : tag.toLowerCase();
    if (isOurs(language) && weight > (best?.weight ?? 0)) best = { language, weight };
  }
  return best?.language ?? preset;
}

const isOurs = (tag: string): tag is Language => Object.hasOwn(words, tag);
