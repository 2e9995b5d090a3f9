import type { InspectedLeaf } from '../../detach/inspect.ts';
import type { ExplainedPart } from './explanation.ts';

type Container = InspectedLeaf['container'];

interface Node {
  readonly part: Omit<ExplainedPart, 'parts'>;
  readonly parts: Node[];
}

/** What is known of the detached parts, by section. */
export interface Outcome {
  /** Address of each detached part. */
  readonly urls: ReadonlyMap<string, string>;
  /** Why the whole message stays as it is. */
  readonly whole: string | null;
}

/** Arranges the leaves as the tree of the message. */
export function partTree(leaves: readonly InspectedLeaf[], outcome: Outcome): ExplainedPart[] {
  const roots: Node[] = [];
  const nodes = new Map<Container, Node[]>();
  const childrenOf = (container: Container): Node[] => {
    const known = nodes.get(container);
    if (known) return known;
    // The message itself is the root.
    const siblings = container.parent ? childrenOf(container.parent) : undefined;
    const node: Node = { part: held(container), parts: siblings ? [] : roots };
    siblings?.push(node);
    nodes.set(container, node.parts);
    return node.parts;
  };
  for (const leaf of leaves) childrenOf(leaf.container).push({ part: explained(leaf, outcome), parts: [] });
  return roots.map(finish);
}

const finish = ({ part, parts }: Node): ExplainedPart => ({ ...part, parts: parts.map(finish) });

const held = ({ section, type }: Container): Node['part'] => ({
  section,
  type,
  name: null,
  size: null,
  encodedSize: null,
  does: 'holds',
  reason: null,
  url: null,
});

function explained({ section, type, name, bytes, file, reason }: InspectedLeaf, outcome: Outcome): Node['part'] {
  const url = outcome.urls.get(section) ?? null;
  return {
    section,
    type,
    name: name ?? null,
    size: file?.size ?? null,
    encodedSize: bytes,
    does: url === null ? 'stays' : 'goes',
    reason: url === null ? (reason ?? outcome.whole ?? 'other rule') : null,
    url,
  };
}
