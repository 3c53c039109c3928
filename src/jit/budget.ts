import type { Block } from './blocks.js';

/**
 * The budget is counted down lazily: a local says what it was when it was last looked at, and each block knows how much
 * has been spent since. So the subtraction is where ways with different amounts meet, and where the region is left.
 */

/** Finds where the budget is checked, and how much is spent where: `blocks` in reverse postorder. */
export function planBudget(blocks: readonly Block[]): void {
  findPathLengths(blocks);
  for (const block of blocks) block.spentBefore = spentBefore(block);
}

/** The budget is checked at the entry, in loops and behind calls, for the longest way to the next check. */
function findPathLengths(blocks: readonly Block[]): void {
  const entry = blocks[0];
  for (const block of blocks) {
    block.checksBudget =
      !block.hub &&
      (block === entry || block.loopHeader || block.predecessors.some((p) => p.hub || p.terminator.kind === 'call'));
  }
  for (let i = blocks.length - 1; i >= 0; i--) {
    const block = blocks[i]!;
    let longest = 0;
    if (block.terminator.kind !== 'call') {
      for (const { block: to } of block.edges()) {
        if (to && !to.checksBudget) longest = Math.max(longest, to.pathLength);
      }
    }
    block.pathLength = block.instructions + longest;
  }
}

/** What most ways to the block have spent: the others pay the difference. */
function spentBefore(block: Block): number {
  if (block.checksBudget || block.hub) return 0;
  const votes = new Map<number, number>();
  let best = 0;
  for (const from of block.predecessors) {
    // No code fits between the jump and where it leads.
    if (from.terminator.kind === 'switch') return 0;
    const spent = spentBehind(from);
    const times = (votes.get(spent) ?? 0) + 1;
    votes.set(spent, times);
    if (times >= (votes.get(best) ?? 0)) best = spent;
  }
  return best;
}

/** Spent at the end of the block; helpers want to see the budget as it is, so it has been paid before them. */
function spentBehind({ steps, spentBefore, instructions }: Block): number {
  return steps.some((step) => step.kind === 'helper') ? 0 : spentBefore + instructions;
}
