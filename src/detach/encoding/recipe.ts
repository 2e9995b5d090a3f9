/**
 * How the encoded form of a part is made again from its decoded bytes, to the byte.
 * A recipe stands in manifests: what it means never changes, new needs get a new `encoding`.
 */
export type Recipe = IdentityRecipe | Base64Recipe;

/** 7bit, 8bit, binary: the decoded bytes are the encoded ones. */
export interface IdentityRecipe {
  readonly encoding: 'identity';
}

/**
 * The characters are the base64 of all complete groups of three bytes, then `tail`: what stood there for the last
 * one or two bytes, padding included or not. They are laid out as `lines`.
 */
export interface Base64Recipe {
  readonly encoding: 'base64';
  readonly tail: string;
  readonly lines: readonly LineRun[];
}

/** `count` times: so many characters, then this separator. */
export type LineRun = readonly [chars: number, separator: string, count: number];

/** About what a run costs in a manifest, in bytes. */
export const runCost = 12;

export function recipeCost(recipe: Recipe): number {
  switch (recipe.encoding) {
    case 'identity':
      return 0;
    case 'base64':
      return recipe.lines.reduce((sum, [, separator]) => sum + runCost + separator.length * 2, 0);
    default:
      return recipe satisfies never;
  }
}
