import { ESP } from '../cpu/state.js';
import type { Block } from './blocks.js';
import type { LinearForm } from './linear-form.js';
import { isOffset, KIND, type Node } from './node.js';
import { type AccessGroup, FLAGS_RESULT, type Step } from './steps.js';

/**
 * What a block has checked need not be checked again behind it: with the stack pointer where it was, the next block's
 * group of accesses is the same page, and often the same bytes. A group whose bytes are those of a group that has been
 * checked on every way to it *shares* that one's check, which is made wider where that helps.
 *
 * This holds because no TLB entry goes while a region runs, but in what it calls.
 */

/** A group that has been checked: its root is a sum of variables, each so many times, and `offset`. */
interface Fact {
  readonly group: AccessGroup;
  /** Ascending; none: addresses are constants. */
  readonly terms: readonly VariableTerm[];
  readonly offset: number;
}
interface VariableTerm {
  readonly variable: number;
  readonly times: number;
}

/** By group. */
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
  return a.offset === b.offset && haveSameTerms(a.terms, b.terms);
}

function haveSameTerms(a: readonly VariableTerm[], b: readonly VariableTerm[]): boolean {
  return (
    a.length === b.length && a.every(({ variable, times }, i) => variable === b[i]!.variable && times === b[i]!.times)
  );
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
  const holders = findHolders(block);
  /** For registers that are constants more than the nodes of `terms` at the end. */
  const follow = (group: AccessGroup, terms: ReadonlyMap<Node, number>, offset: number): void => {
    const choices = [...terms].map(([node, times]) =>
      (holders.get(node) ?? []).map(({ variable, more }) => ({ variable, times, rest: Math.imul(times, more) })),
    );
    // Of many registers that hold the same, one will do, but in the most frequent case.
    const all =
      choices.length === 1 ? choices[0]!.map((choice) => [choice]) : [choices.flatMap((list) => list[0] ?? [])];
    for (const chosen of all) {
      if (chosen.length < terms.size) continue;
      const rest = chosen.reduce((sum, choice) => (sum + choice.rest) | 0, 0);
      const sorted = chosen.map(({ variable, times }) => ({ variable, times })).sort((a, b) => a.variable - b.variable);
      add({ group, terms: sorted, offset: (offset - rest) | 0 });
    }
  };
  for (const [group, known] of before) {
    // A group that is checked once more is somewhere else now.
    if (checked.includes(group)) continue;
    for (const { terms, offset } of known)
      follow(group, new Map(terms.map(({ variable, times }) => [block.entries[variable]!, times])), offset);
  }
  for (const group of checked) {
    const { root, form } = group;
    follow(group, form.terms, form.offset);
    if (root && form.terms.get(root) !== 1) follow(group, new Map([[root, 1]]), 0);
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

/** By node: the registers that are a constant more at the block's end; first the one that it was before. */
function findHolders(block: Block): Map<Node, { variable: number; more: number }[]> {
  const holders = new Map<Node, { variable: number; more: number }[]>();
  for (let variable = 0; variable < FLAGS_RESULT; variable++) {
    const [node, more] = parts(block.variables[variable]!);
    const list = holders.get(node) ?? [];
    holders.set(node, list);
    if (node === block.entries[variable]) list.unshift({ variable, more });
    else list.push({ variable, more });
  }
  return holders;
}

function parts(node: Node): [Node, number] {
  return isOffset(node) ? [node.a!, node.b!.number] : [node, 0];
}

/** Lets a group of the block share the check of one that the facts at its beginning tell of, if there is one. */
function share(block: Block, group: AccessGroup, facts: Facts, largestSpan: number): void {
  const terms = termsOf(block, group.form);
  if (!terms) return;
  const onStack = terms.length === 1 && terms[0]!.variable === ESP;
  let wider: Fact | undefined;
  for (const known of facts.values()) {
    for (const fact of known) {
      const { group: other } = fact;
      if (other.sharedWith || other === group || !haveSameTerms(fact.terms, terms)) continue;
      if (group.write && !other.write && !onStack) continue;
      const least = (group.least + group.form.offset - fact.offset) | 0;
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

/** The sum's nodes, if they are registers' values at the beginning of the block. */
function termsOf(block: Block, { terms }: LinearForm): VariableTerm[] | undefined {
  const result: VariableTerm[] = [];
  for (const [node, times] of terms) {
    if (node.kind !== KIND.entry || node.number >= FLAGS_RESULT || block.entries[node.number] !== node)
      return undefined;
    result.push({ variable: node.number, times });
  }
  return result.sort((a, b) => a.variable - b.variable);
}

function join(group: AccessGroup, { group: other, offset }: Fact): void {
  const more = (offset - group.form.offset) | 0;
  const least = (group.least - more) | 0;
  const end = Math.max(least + group.span, other.least + other.span);
  other.least = Math.min(least, other.least);
  other.span = end - other.least;
  other.write ||= group.write;
  other.shared = true;
  group.sharedWith = other;
  group.sharedOffset = more;
}
