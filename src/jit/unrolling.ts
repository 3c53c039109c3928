import type { Block } from './blocks.js';
import { planRun } from './loop-run.js';
import { paceStores } from './store-pacing.js';
import type { Step } from './steps.js';

/**
 * Small loops are unrolled: copies of their blocks follow each other, and only the last leads back. So the budget is
 * looked at once in several iterations, flags pass from one to the next as operands that hardly ever have to be kept,
 * and where addresses move by constants the accesses of all have one check (`shared-checks.ts`).
 */

/** Instructions of a loop with all its copies, at most, and iterations. */
const MOST_INSTRUCTIONS = 64;
const MOST_ITERATIONS = 4;
/** Loops of more blocks rarely run long enough on one way through them. */
const MOST_BLOCKS = 3;

/** Unrolls innermost loops. `blocks` as `orderBlocks` has left them; `copy` makes a block again. */
export function unrollLoops(blocks: readonly Block[], copy: (block: Block) => Block | undefined): void {
  const loops = findLoops(blocks);
  for (const [header, body] of loops) {
    if ([...body].some((block) => block !== header && loops.has(block))) continue;
    if (body.size > MOST_BLOCKS || ![...body].every(isPlain) || (body.size === 1 && planRun(header))) continue;
    let instructions = 0;
    for (const block of body) instructions += block.instructions;
    unroll(header, body, Math.min(MOST_ITERATIONS, Math.floor(MOST_INSTRUCTIONS / instructions)), copy);
  }
}

/** By header: the blocks of each loop. */
function findLoops(blocks: readonly Block[]): Map<Block, Set<Block>> {
  const loops = new Map<Block, Set<Block>>();
  for (const block of blocks) {
    for (const { block: header } of block.edges()) {
      if (!header || header.order > block.order) continue;
      const body = loops.get(header) ?? new Set([header]);
      loops.set(header, body);
      const found = [block];
      for (let at = found.pop(); at; at = found.pop()) {
        if (body.has(at)) continue;
        body.add(at);
        found.push(...at.predecessors);
      }
    }
  }
  return loops;
}

/** It does nothing that takes longer than looking at the budget. */
function isPlain({ hub, terminator, steps }: Block): boolean {
  return !hub && (terminator.kind === 'jump' || terminator.kind === 'branch') && !steps.some(takesLong);
}

function takesLong(step: Step): boolean {
  switch (step.kind) {
    case 'helper':
    case 'shortcut':
    case 'stringRun':
    case 'call':
      return true;
    case 'branch':
      return step.taken.some(takesLong) || step.otherwise.some(takesLong);
    default:
      return false;
  }
}

function unroll(
  header: Block,
  body: ReadonlySet<Block>,
  iterations: number,
  copy: (block: Block) => Block | undefined,
): void {
  const copies: ReadonlyMap<Block, Block>[] = [];
  for (let i = 1; i < iterations; i++) {
    const iteration = new Map<Block, Block>();
    for (const block of body) {
      const again = copy(block);
      if (!again) return;
      iteration.set(block, again);
    }
    copies.push(iteration);
  }
  const last = header.edges().some((edge) => edge.block === header) ? copies.at(-1)?.get(header) : undefined;
  if (last) paceStores(last);
  const itself = new Map([...body].map((block): [Block, Block] => [block, block]));
  for (const [i, iteration] of [itself, ...copies].entries()) {
    const next = copies[i]?.get(header) ?? header;
    for (const block of iteration.values()) {
      for (const edge of block.edges()) {
        if (!edge.block || !body.has(edge.block)) continue;
        edge.block = edge.block === header ? next : iteration.get(edge.block);
      }
    }
  }
}
