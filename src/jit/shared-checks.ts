import { ESP } from '../cpu/state.js';
import type { Block } from './blocks.js';
import { isOffset, KIND, type Node } from './node.js';
import { type AccessGroup, FLAGS_RESULT, type Step } from './steps.js';

/**
 * What a block has checked need not be checked again behind it: with the stack pointer where it was, the next block's
 * group of accesses is the same page, and often the same bytes. A group whose bytes are those of a group that has been
 * checked on every way to it *shares* that one's check, which is made wider where that helps.
 *
 * This holds because no TLB entry goes while a region runs, but in what it calls.
 */

/** A group that has been checked: its root is the variable's value plus `offset`. */
interface Fact {
  readonly group: AccessGroup;
  /** `NO_VARIABLE`: addresses are constants. */
  readonly variable: number;
  readonly offset: number;
}
const NO_VARIABLE = -1;

/** By variable and group. */
type Facts = Map<AccessGroup, Fact[]>;

/** Finds the groups that share checks, and notes that in them. Only behind the analyses. */
export function shareChecks(blocks: readonly Block[], largestSpan: number): void {
  if (blocks.length < 2) return;
  const checked = new Map(blocks.map((block) => [block, groupsOf(block)]));
  if (blocks.every((block) => checked.get(block)!.length === 0)) return;
  const before = findFacts(blocks, checked);
  for (const block of blocks) {
    const facts = before.get(block);
    if (!facts || facts.size === 0) continue;
    for (const group of checked.get(block)!) share(block, group, facts, largestSpan);
  }
}

/** Groups that are checked whenever the block runs to its end. */
function groupsOf(block: Block): AccessGroup[] {
  const groups = new Set<AccessGroup>();
  for (const step of block.steps) if (step.kind === 'access') groups.add(step.group);
  return [...groups];
}

/** The facts at the beginning of each block. */
function findFacts(
  blocks: readonly Block[],
  checked: ReadonlyMap<Block, readonly AccessGroup[]>,
): ReadonlyMap<Block, Facts> {
  const before = new Map<Block, Facts>([[blocks[0]!, new Map()]]);
  const behind = new Map<Block, Facts>();
  for (let again = true; again; ) {
    again = false;
    for (const block of blocks) {
      if (block !== blocks[0]) {
        // Where nothing is known yet, anything may hold.
        const known = block.predecessors.flatMap((from) => behind.get(from) ?? []);
        if (known.length > 0) before.set(block, meet(known));
      }
      const facts = before.get(block);
      if (!facts) continue;
      const after = factsBehind(block, facts, checked.get(block)!);
      const last = behind.get(block);
      if (last && isSame(last, after)) continue;
      behind.set(block, after);
      again = true;
    }
  }
  return before;
}

function meet(all: readonly Facts[]): Facts {
  const [first, ...rest] = all;
  const result: Facts = new Map();
  for (const [group, facts] of first!) {
    const kept = facts.filter((fact) => rest.every((other) => other.get(group)?.some((one) => isEqual(one, fact))));
    if (kept.length > 0) result.set(group, kept);
  }
  return result;
}

function isEqual(a: Fact, b: Fact): boolean {
  return a.variable === b.variable && a.offset === b.offset;
}

function isSame(a: Facts, b: Facts): boolean {
  if (a.size !== b.size) return false;
  for (const [group, facts] of a) {
    const others = b.get(group);
    if (others?.length !== facts.length || !facts.every((fact) => others.some((one) => isEqual(one, fact))))
      return false;
  }
  return true;
}

/** Which hold when the block has run, if `before` do when it begins. */
function factsBehind(block: Block, before: Facts, checked: readonly AccessGroup[]): Facts {
  const facts: Facts = new Map();
  if (block.terminator.kind === 'call' || block.steps.some(calls)) return facts;
  const add = (fact: Fact): void => {
    const known = facts.get(fact.group);
    if (known) known.push(fact);
    else facts.set(fact.group, [fact]);
  };
  /** For the registers that are a constant more than `value` at the end. */
  const follow = (group: AccessGroup, value: Node, offset: number): void => {
    for (let v = 0; v < FLAGS_RESULT; v++) {
      const more = difference(block.variables[v]!, value);
      // root = value + offset, variable = value + more.
      if (more !== undefined) add({ group, variable: v, offset: (offset - more) | 0 });
    }
  };
  for (const [group, known] of before) {
    // A group that is checked once more is somewhere else now.
    if (checked.includes(group)) continue;
    for (const fact of known) {
      if (fact.variable === NO_VARIABLE) add(fact);
      else follow(group, block.entries[fact.variable]!, fact.offset);
    }
  }
  for (const group of checked) {
    if (!group.root) add({ group, variable: NO_VARIABLE, offset: 0 });
    else follow(group, group.root, 0);
  }
  for (const [group, known] of facts)
    facts.set(
      group,
      known.filter((fact, i) => known.findIndex((one) => isEqual(one, fact)) === i),
    );
  return facts;
}

/** Steps that may change the TLB. */
function calls(step: Step): boolean {
  switch (step.kind) {
    case 'helper':
    case 'shortcut':
    case 'stringRun':
      return true;
    case 'branch':
      return step.taken.some(calls) || step.otherwise.some(calls);
    default:
      return false;
  }
}

/** By how much `a` is more than `b`, if that is a constant. */
function difference(a: Node, b: Node): number | undefined {
  const [rootA, offsetA] = parts(a);
  const [rootB, offsetB] = parts(b);
  return rootA === rootB ? (offsetA - offsetB) | 0 : undefined;
}

function parts(node: Node): [Node, number] {
  return isOffset(node) ? [node.a!, node.b!.number] : [node, 0];
}

/** Lets a group of the block share the check of one that the facts at its beginning tell of, if there is one. */
function share(block: Block, group: AccessGroup, facts: Facts, largestSpan: number): void {
  const { root } = group;
  if (root && root.kind !== KIND.entry) return;
  const variable = root ? root.number : NO_VARIABLE;
  if (root && block.entries[variable] !== root) return;
  let wider: Fact | undefined;
  for (const known of facts.values()) {
    for (const fact of known) {
      const { group: other } = fact;
      if (fact.variable !== variable || other.sharedWith || other === group) continue;
      if (group.write && !other.write && variable !== ESP) continue;
      const least = (group.least - fact.offset) | 0;
      const from = Math.min(least, other.least);
      const span = Math.max(least + group.span, other.least + other.span) - from;
      if (span === other.span && (other.write || !group.write)) {
        join(group, fact);
        return;
      }
      if (span <= largestSpan) wider ??= fact;
    }
  }
  if (wider) join(group, wider);
}

function join(group: AccessGroup, { group: other, offset }: Fact): void {
  const least = (group.least - offset) | 0;
  const end = Math.max(least + group.span, other.least + other.span);
  other.least = Math.min(least, other.least);
  other.span = end - other.least;
  other.write ||= group.write;
  other.shared = true;
  group.sharedWith = other;
  group.sharedOffset = offset;
}
