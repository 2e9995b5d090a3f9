/** All that differs between languages. Dates and numbers are written out here and not by ICU, whose words and blanks
 * change with the version: a retry on another machine must write the same bytes. */
export interface Words {
  readonly text: string;
  readonly html: string;
  size(bytes: number): string;
  expires(date: Date | undefined): string;
}

export type Language = 'en' | 'fr';

export const languages: Readonly<Record<Language, Words>> = {
  en: {
    ...templates({ lang: 'en', heading: 'Attached to this message, for download:' }),
    size: (bytes) => humanSize(bytes, { units: ['bytes', 'kB', 'MB', 'GB', 'TB'], comma: '.' }),
    expires: (date) => (date ? `available until ${writtenDate(date, enMonths)}` : 'available without time limit'),
  },
  fr: {
    ...templates({ lang: 'fr', heading: 'Joint à ce message, à télécharger :' }),
    size: (bytes) => humanSize(bytes, { units: ['octets', 'ko', 'Mo', 'Go', 'To'], comma: ',' }),
    expires: (date) =>
      date
        ? `disponible jusqu'au ${writtenDate(date, frMonths).replace(/^1 /, '1er ')}`
        : 'disponible sans limite de durée',
  },
};

const enMonths = 'January February March April May June July August September October November December'.split(' ');
const frMonths = 'janvier février mars avril mai juin juillet août septembre octobre novembre décembre'.split(' ');

const writtenDate = (date: Date, months: readonly string[]): string =>
  `${date.getUTCDate()} ${months[date.getUTCMonth()] ?? ''} ${date.getUTCFullYear()}`;

/** Powers of 1000, as the units say; one decimal below 10. */
function humanSize(
  bytes: number,
  { units, comma }: { readonly units: readonly string[]; readonly comma: string },
): string {
  let value = bytes;
  let unit = 0;
  // 999.5 is written 1000: it is 1 of the next unit.
  while (value >= (unit === 0 ? 1000 : 999.5) && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit > 0 && value < 9.95 ? value.toFixed(1).replace(/\.0$/, '') : String(Math.round(value));
  return `${digits.replace('.', comma)} ${units[unit] ?? ''}`;
}

/**
 * Colours come as a pair, and the link has one, since the letter's own may be any: dark on dark where a letter sets
 * its background and not its text. `<br/>` and quoted attributes, since a letter may be XHTML.
 */
function templates({
  lang,
  heading,
}: {
  readonly lang: string;
  readonly heading: string;
}): Pick<Words, 'text' | 'html'> {
  return {
    text: `${heading}\n{{#files}}\n\n{{name}}\n{{size}}, {{expires}}\n{{url}}\n{{/files}}`,
    html: `<div lang="${lang}" dir="auto" style="margin:1em 0;padding:.5em;border:1px solid;background:#eee;color:#222">
${heading}<ul style="margin:0">
{{#files}}
<li><a href="{{url}}" rel="noreferrer" style="color:#04c"><bdi>{{name}}</bdi></a><br/>{{size}}, {{expires}}</li>
{{/files}}
</ul></div>
`,
  };
}
