import type { Block } from './blocks.js';
import type { AccessGroup } from './steps.js';

/**
 * Numbers the locals that hold host addresses of groups whose checks others share, `AccessGroup.hostNumber`. Addresses
 * that are never wanted at the same time have one local: engines compile a function of hundreds of locals slowly, and
 * with much memory.
 *
 * The block that checks a group dominates those that share the check. So whatever is on a way between them lies, in
 * reverse postorder, between the first and the last of them, or in a loop that begins there.
 */
export function numberSharedHosts(blocks: readonly Block[]): void {
  const spans = findSpans(blocks);
  const lastBlocks: number[] = [];
  for (const { group, first, last } of spans) {
    const free = lastBlocks.findIndex((other) => other < first);
    const number = free < 0 ? lastBlocks.length : free;
    lastBlocks[number] = last;
    group.hostNumber = number;
  }
}

/** Orders of the blocks between which a group's address is wanted. */
interface Span {
  readonly group: AccessGroup;
  readonly first: number;
  last: number;
}

/** In ascending order of the first block. */
function findSpans(blocks: readonly Block[]): Span[] {
  const spans = new Map<AccessGroup, Span>();
  for (const { steps, order } of blocks) {
    for (const step of steps) {
      if (step.kind !== 'access') continue;
      const { group } = step;
      if (group.shared && !spans.has(group)) spans.set(group, { group, first: order, last: order });
      const span = group.sharedWith && spans.get(group.sharedWith);
      if (span) span.last = order;
    }
  }
  const loopEnds = findLoopEnds(blocks);
  for (const span of spans.values()) {
    // Loops in the block that checks the group run through the check again.
    for (let at = span.first + 1; at <= span.last; at++) span.last = Math.max(span.last, loopEnds[at]!);
  }
  return [...spans.values()];
}

/** By the order of a block: the last that goes back to it, −1 if none does. */
function findLoopEnds(blocks: readonly Block[]): number[] {
  const ends = blocks.map(() => -1);
  for (const block of blocks)
    for (const { block: to } of block.edges()) if (to && to.order <= block.order) ends[to.order] = block.order;
  return ends;
}
