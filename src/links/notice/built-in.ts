import type { Words } from '../words/words.ts';

/**
 * The built-in templates of the notice in a language.
 *
 * Colours come as a pair, and the link has one, since the letter's own may be any: dark on dark where a letter sets
 * its background and not its text. `<br/>` and quoted attributes, since a letter may be XHTML.
 */
export function builtIn({ tag, notice: { heading } }: Words): { readonly text: string; readonly html: string } {
  return {
    text: `${heading}\n{{#files}}\n\n{{name}}\n{{size}}, {{expires}}\n{{url}}\n{{/files}}`,
    html: `<div lang="${tag}" dir="auto" style="margin:1em 0;padding:.5em;border:1px solid;background:#eee;color:#222">
${heading}<ul style="margin:0">
{{#files}}
<li><a href="{{url}}" rel="noreferrer" style="color:#04c"><bdi>{{name}}</bdi></a><br/>{{size}}, {{expires}}</li>
{{/files}}
</ul></div>
`,
  };
}
