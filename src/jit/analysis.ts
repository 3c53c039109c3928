import { type Block, leavesAtEnd } from './blocks.js';
import { planBudget } from './budget.js';
import { KIND, type Node } from './node.js';
import { deferFlags, sourcesOf } from './deferred-flags.js';
import { FLAGS_X, FLAGS_Y, type Place, type Step, VARIABLES, mayLeave } from './steps.js';

/** All variables but those that are locals only. */
const IN_STATE = (1 << VARIABLES) - 1;

/**
 * What the emitter needs to know about the graph of a region's blocks.
 *
 * Afterwards `blocks` (the result) is in reverse postorder, and every edge that goes back goes to a block that
 * dominates its source: edges into the middle of a loop have become edges out of the region.
 */
export function analyse(entry: Block): Block[] {
  const blocks = orderBlocks(entry);
  for (const block of blocks) {
    for (const { block: to } of block.edges()) if (to && to.order <= block.order) to.loopHeader = true;
  }
  planBudget(blocks);
  deferFlags(blocks);
  findDirty(blocks);
  findLive(blocks);
  return blocks;
}

/** In reverse postorder, with dominators. */
export function orderBlocks(entry: Block): Block[] {
  let blocks = number(entry);
  findDominators(blocks);
  if (cutIrreducible(blocks)) {
    blocks = number(entry);
    findDominators(blocks);
  }
  return blocks;
}

/** Numbers the blocks in reverse postorder. */
function number(entry: Block): Block[] {
  const postorder: Block[] = [];
  const visited = new Set<Block>([entry]);
  const stack: { block: Block; next: number; edges: Block[] }[] = [];
  const visit = (block: Block): void => {
    const edges: Block[] = [];
    for (const { block: to } of block.edges()) if (to) edges.push(to);
    stack.push({ block, next: 0, edges });
  };
  visit(entry);
  while (stack.length > 0) {
    const top = stack[stack.length - 1]!;
    const to = top.edges[top.next++];
    if (!to) {
      postorder.push(top.block);
      stack.pop();
    } else if (!visited.has(to)) {
      visited.add(to);
      visit(to);
    }
  }
  const blocks = postorder.reverse();
  for (const [i, block] of blocks.entries()) {
    block.order = i;
    block.predecessors = [];
    block.dominator = undefined;
  }
  for (const block of blocks) for (const { block: to } of block.edges()) to?.predecessors.push(block);
  return blocks;
}

/** Cooper, Harvey, Kennedy: A Simple, Fast Dominance Algorithm. */
function findDominators(blocks: readonly Block[]): void {
  const entry = blocks[0]!;
  entry.dominator = entry;
  for (let changed = true; changed; ) {
    changed = false;
    for (const block of blocks) {
      if (block === entry) continue;
      let dominator: Block | undefined;
      for (const predecessor of block.predecessors) {
        if (!predecessor.dominator) continue;
        dominator = dominator ? common(dominator, predecessor) : predecessor;
      }
      if (dominator !== block.dominator) {
        block.dominator = dominator;
        changed = true;
      }
    }
  }
}

function common(a: Block, b: Block): Block {
  while (a !== b) {
    while (a.order > b.order) a = a.dominator!;
    while (b.order > a.order) b = b.dominator!;
  }
  return a;
}

function dominates(a: Block, b: Block): boolean {
  while (b.order > a.order) b = b.dominator!;
  return a === b;
}

function cutIrreducible(blocks: readonly Block[]): boolean {
  let cut = false;
  for (const block of blocks) {
    for (const edge of block.edges()) {
      const to = edge.block;
      if (to && to.order <= block.order && !dominates(to, block)) {
        edge.block = undefined;
        cut = true;
      }
    }
  }
  return cut;
}

/** Which variables may differ from the state: those changed since the entry or the last call. */
function findDirty(blocks: readonly Block[]): void {
  for (let again = true; again; ) {
    again = false;
    for (const block of blocks) {
      if (block.terminator.kind === 'call') continue;
      const out = block.dirtyIn | (block.changed & IN_STATE);
      for (const { block: to } of block.edges()) {
        if (to && (to.dirtyIn | out) !== to.dirtyIn) {
          to.dirtyIn |= out;
          again = true;
        }
      }
    }
  }
}

/**
 * Which variables a block needs in their locals. Where the region is left, dirty variables are stored, so these are
 * needed there although no instruction reads them.
 */
function findLive(blocks: readonly Block[]): void {
  const needs = blocks.map((block) => {
    const stored = block.dirtyIn & entryValuesStored(block);
    block.reads = entryValuesRead(block);
    const needed = sourcesOf(block, block.reads | stored);
    block.reads = sourcesOf(block, block.reads);
    return needed;
  });
  for (let again = true; again; ) {
    again = false;
    for (let i = blocks.length - 1; i >= 0; i--) {
      const block = blocks[i]!;
      const live = needs[i]! | (liveOut(block) & ~block.changed);
      if (live !== block.liveIn) {
        block.liveIn = live;
        again = true;
      }
    }
  }
}

/** Variables that have to be in their locals when the block's terminator runs. */
export function liveOut(block: Block): number {
  if (block.terminator.kind === 'call') return 0;
  let live = 0;
  for (const { block: to } of block.edges()) if (to) live |= to.liveIn;
  return live;
}

/** Variables that still have their entry value at some place where the block may be left. */
function entryValuesStored(block: Block): number {
  let mask = 0;
  const add = (variables: readonly Node[]): void => {
    for (let v = 0; v < VARIABLES; v++) if (variables[v] === block.entries[v]) mask |= 1 << v;
  };
  if (block.checksBudget) add(block.entries);
  forEachLeave(block.steps, add);
  if (block.terminator.kind === 'call' || leavesAtEnd(block)) add(block.variables);
  return mask;
}

function forEachLeave(steps: readonly Step[], visit: (variables: readonly Node[]) => void): void {
  let last: readonly Node[] | undefined;
  for (const step of steps) {
    if (step.kind === 'helper' || step.kind === 'behind') {
      visit(step.variables);
    } else if (mayLeave(step)) {
      if (step.place.variables !== last) visit(step.place.variables);
      last = step.place.variables;
    } else if (step.kind === 'branch') {
      forEachLeave(step.taken, visit);
      forEachLeave(step.otherwise, visit);
    }
  }
}

/** Variables whose entry value the block computes with. */
function entryValuesRead(block: Block): number {
  let mask = 0;
  const add = (node: Node | undefined): void => {
    if (!node || node.visit === 1) return;
    node.visit = 1;
    if (node.kind === KIND.entry) mask |= 1 << node.number;
    add(node.a);
    add(node.b);
    add(node.c);
  };
  /** A variable that is what it was is not read. */
  const addAll = (variables: readonly Node[]): void => {
    for (let v = 0; v < VARIABLES; v++) if (variables[v] !== block.entries[v]) add(variables[v]);
  };
  const addPlace = (place: Place): void => {
    addAll(place.variables);
    for (const store of place.stores) {
      add(store.base);
      add(store.value);
    }
  };
  const visit = (steps: readonly Step[]): void => {
    for (const step of steps) {
      switch (step.kind) {
        case 'keep':
          add(step.node);
          break;
        case 'loadState':
          add(step.base);
          break;
        case 'storeState':
          add(step.base);
          add(step.value);
          break;
        case 'store':
          add(step.value);
          break;
        case 'access':
          add(step.group.root);
          addPlace(step.place);
          break;
        case 'stack':
          add(step.tags);
          addPlace(step.place);
          break;
        case 'leave':
          add(step.condition);
          addPlace(step.place);
          break;
        case 'call':
        case 'shortcut':
          for (const arg of step.args) add(arg);
          break;
        case 'trust':
          add(step.doubts);
          break;
        case 'distrust':
          add(step.significand);
          add(step.exponent);
          break;
        case 'convert':
          add(step.bits);
          addPlace(step.place);
          break;
        case 'helper':
          for (const arg of step.args) add(arg);
          addAll(step.variables);
          break;
        case 'behind':
          addAll(step.variables);
          break;
        case 'branch':
          add(step.condition);
          visit(step.taken);
          visit(step.otherwise);
          for (const merge of step.merges) {
            add(merge.taken);
            add(merge.otherwise);
          }
          break;
        default:
          break;
      }
    }
  };
  visit(block.steps);
  addAll(block.variables);
  add(block.variables[FLAGS_X]);
  add(block.variables[FLAGS_Y]);
  const { terminator } = block;
  if (terminator.kind === 'branch') add(terminator.condition);
  for (const edge of block.edges()) add(edge.eip);
  if (terminator.kind === 'call' || terminator.kind === 'switch') add(terminator.target);
  return mask;
}
