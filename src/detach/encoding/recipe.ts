/**
 * How the encoded form of a part is made again from its decoded bytes, to the byte. Recipes are stored in manifests, so
 * their meaning never changes; a new need gets a new `encoding`.
 */
export type Recipe = IdentityRecipe | Base64Recipe | QuotedRecipe;

/** 7bit, 8bit, binary: the decoded bytes are the encoded ones. */
export interface IdentityRecipe {
  readonly encoding: 'identity';
}

/**
 * The characters are the base64 of all complete groups of three bytes, then `tail`: what stood there for the last one
 * or two bytes, padding included or not. They are divided into lines as `lines` says.
 */
export interface Base64Recipe {
  readonly encoding: 'base64';
  readonly tail: string;
  readonly lines: readonly LineRun[];
}

/** `count` times: so many characters, then this separator. */
export type LineRun = readonly [chars: number, separator: string, count: number];

/**
 * The octets are written as `QuotedModel` expects, with exceptions: after `skip` octets and line ends that are as
 * expected, the next one is written as `choice` says. Then comes `tail`.
 */
export interface QuotedRecipe {
  readonly encoding: 'quoted-printable';
  readonly exceptions: readonly (readonly [skip: number, choice: number])[];
  readonly tail: string;
}

/** A part whose recipe is longer than this stays in the message. */
export const maxRecipeBytes = 32 * 1024;

/** About what an exception costs in a manifest, in bytes. */
export const exceptionCost = 8;

/** About what a run costs in a manifest, in bytes. */
export const runCost = 12;

export function recipeCost(recipe: Recipe): number {
  switch (recipe.encoding) {
    case 'identity':
      return 0;
    case 'base64':
      return recipe.lines.reduce((sum, [, separator]) => sum + runCost + separator.length * 2, 0);
    case 'quoted-printable':
      return recipe.exceptions.length * exceptionCost + recipe.tail.length;
    default:
      return recipe satisfies never;
  }
}
