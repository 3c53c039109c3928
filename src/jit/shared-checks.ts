import { ESP } from '../cpu/state.js';
import type { Block } from './blocks.js';
import type { LinearForm } from './linear-form.js';
import { isOffset, KIND, type Node } from './node.js';
import { numberSharedHosts } from './shared-hosts.js';
import { type AccessGroup, FLAGS_RESULT, isOnOnePage, SMALLEST_SPAN, type Step } from './steps.js';

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
  /** The variables as bits. */
  readonly variables: number;
}
interface VariableTerm {
  readonly variable: number;
  readonly times: number;
}

/** There is one object for each fact (`KnownFacts`). */
type Facts = ReadonlySet<Fact>;
const NO_FACTS: Facts = new Set();

/** Finds the groups that share checks, and notes that in them. Only behind the analyses. */
export function shareChecks(blocks: readonly Block[], largestSpan: number): void {
  if (blocks.length < 2) return;
  const known = new KnownFacts();
  const passages = blocks.map((block) => new Passage(block, known));
  if (passages.every(({ checked }) => checked.size === 0)) return;
  const before = findFacts(blocks, passages);
  for (const [i, block] of blocks.entries()) {
    const facts = before[i];
    if (!facts || facts.size === 0) continue;
    for (const group of passages[i]!.checked) share(block, group, facts, largestSpan);
  }
  numberSharedHosts(blocks);
}

/** The facts at the beginning of each block. */
function findFacts(blocks: readonly Block[], passages: readonly Passage[]): readonly (Facts | undefined)[] {
  const before: (Facts | undefined)[] = [NO_FACTS];
  const behind: (Facts | undefined)[] = [];
  const waiting = new Set<Block>([blocks[0]!]);
  while (waiting.size > 0) {
    // In the order of the blocks, so that loops alone are gone through again.
    for (const [i, block] of blocks.entries()) {
      if (!waiting.delete(block)) continue;
      // Where nothing is known yet, anything may hold.
      if (i > 0) before[i] = meet(block.predecessors.flatMap((from) => behind[from.order] ?? []));
      const after = passages[i]!.factsBehind(before[i]!);
      // Facts are only ever lost.
      if (behind[i]?.size === after.size) continue;
      behind[i] = after;
      for (const { block: to } of block.edges()) if (to && to.order > 0) waiting.add(to);
    }
  }
  return before;
}

function meet([first, ...others]: readonly Facts[]): Facts {
  if (others.every((facts) => facts === first)) return first!;
  const result = new Set<Fact>();
  for (const fact of first!) if (others.every((facts) => facts.has(fact))) result.add(fact);
  return result;
}

function haveSameTerms(a: readonly VariableTerm[], b: readonly VariableTerm[]): boolean {
  return (
    a.length === b.length && a.every(({ variable, times }, i) => variable === b[i]!.variable && times === b[i]!.times)
  );
}

class KnownFacts {
  private readonly byGroup = new Map<AccessGroup, Fact[]>();

  fact(group: AccessGroup, terms: readonly VariableTerm[], offset: number): Fact {
    let known = this.byGroup.get(group);
    if (!known) this.byGroup.set(group, (known = []));
    let fact = known.find((one) => one.offset === offset && haveSameTerms(one.terms, terms));
    if (!fact) {
      const variables = terms.reduce((bits, { variable }) => bits | (1 << variable), 0);
      known.push((fact = { group, terms, offset, variables }));
    }
    return fact;
  }
}

/** What a block does to facts. */
class Passage {
  /** Groups that are checked whenever the block runs to its end. */
  readonly checked: ReadonlySet<AccessGroup>;
  /** Nothing is known behind it. */
  private readonly forgets: boolean;
  /** By node: the registers that are a constant more at the block's end; first the one that it was before. */
  private readonly holders = new Map<Node, { variable: number; more: number }[]>();
  /** Variables, as bits, whose value is in them alone at the end as it was at the beginning. */
  private readonly kept: number = 0;
  private readonly own = new Set<Fact>();

  constructor(
    private readonly block: Block,
    private readonly known: KnownFacts,
  ) {
    this.checked = groupsOf(block);
    this.forgets = block.terminator.kind === 'call' || block.steps.some(calls);
    if (this.forgets) return;
    for (let variable = 0; variable < FLAGS_RESULT; variable++) {
      const [node, more] = parts(block.variables[variable]!);
      let list = this.holders.get(node);
      if (!list) this.holders.set(node, (list = []));
      if (node === block.entries[variable]) list.unshift({ variable, more });
      else list.push({ variable, more });
    }
    for (let variable = 0; variable < FLAGS_RESULT; variable++) {
      const entry = block.entries[variable]!;
      if (block.variables[variable] === entry && this.holders.get(entry)!.length === 1) this.kept |= 1 << variable;
    }
    for (const group of this.checked) {
      const { root, form } = group;
      this.follow(group, form.terms, form.offset, this.own);
      if (root && form.terms.get(root) !== 1) this.follow(group, new Map([[root, 1]]), 0, this.own);
    }
  }

  /** Which hold when the block has run, if `before` do when it begins. */
  factsBehind(before: Facts): Facts {
    if (this.forgets) return NO_FACTS;
    if (before.size === 0) return this.own;
    const facts = new Set<Fact>();
    for (const fact of before) {
      const { group, terms, offset, variables } = fact;
      // A group that is checked once more is somewhere else now.
      if (this.checked.has(group)) continue;
      if ((variables & ~this.kept) === 0) facts.add(fact);
      else {
        const nodes = new Map(terms.map(({ variable, times }) => [this.block.entries[variable]!, times]));
        this.follow(group, nodes, offset, facts);
      }
    }
    for (const fact of this.own) facts.add(fact);
    return facts;
  }

  /** Adds to `facts` what is known of the group at the end, by registers that are constants more than the nodes. */
  private follow(group: AccessGroup, terms: ReadonlyMap<Node, number>, offset: number, facts: Set<Fact>): void {
    const choices = [...terms].map(([node, times]) =>
      (this.holders.get(node) ?? []).map(({ variable, more }) => ({ variable, times, rest: Math.imul(times, more) })),
    );
    // Of many registers that hold the same, one will do, but in the most frequent case.
    const all =
      choices.length === 1 ? choices[0]!.map((choice) => [choice]) : [choices.flatMap((list) => list[0] ?? [])];
    for (const chosen of all) {
      if (chosen.length < terms.size) continue;
      const rest = chosen.reduce((sum, choice) => (sum + choice.rest) | 0, 0);
      const sorted = chosen.map(({ variable, times }) => ({ variable, times })).sort((a, b) => a.variable - b.variable);
      facts.add(this.known.fact(group, sorted, (offset - rest) | 0));
    }
  }
}

function groupsOf(block: Block): ReadonlySet<AccessGroup> {
  const groups = new Set<AccessGroup>();
  for (const step of block.steps) if (step.kind === 'access') groups.add(step.group);
  return groups;
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

function parts(node: Node): [Node, number] {
  return isOffset(node) ? [node.a!, node.b!.number] : [node, 0];
}

/** Lets a group of the block share the check of one that the facts at its beginning tell of, if there is one. */
function share(block: Block, group: AccessGroup, facts: Facts, largestSpan: number): void {
  const terms = termsOf(block, group.form);
  if (!terms) return;
  const onStack = terms.length === 1 && terms[0]!.variable === ESP;
  let wider: Fact | undefined;
  for (const fact of facts) {
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
    if (span <= largestSpan || (largestSpan > SMALLEST_SPAN && isOnOnePage(other, from, span))) wider ??= fact;
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
