import { type Code, OP } from '../wasm/code.js';
import type { BlockEmitter } from './block-emitter.js';
import type { Block, Edge } from './blocks.js';
import { LONGEST_STRIDE, type LoopRun, type RunGroup } from './loop-run.js';
import { type AccessGroup, LOCAL } from './steps.js';

/** What a run needs of the region around it. */
export interface RunSurroundings {
  readonly code: Code;
  readonly emitter: BlockEmitter;
  /** Level of the label of the loop itself. */
  readonly loopLevel: number;
  /** Emits the block's steps, without checks; `refund` emits what is to be done where one of them leaves. */
  steps(addends: ReadonlyMap<AccessGroup, number>, refund: () => void): void;
  /** Puts final values of these variables into their locals, as far as they are wanted behind the block. */
  assign(variables: number): void;
  /** Goes along the edge out of the loop. */
  follow(edge: Edge): void;
}

/** Iterations before the first run of a loop is tried, and behind a try that failed: short loops do without. */
export const FIRST_TRY = 4;
const NEXT_TRY = 16;
const ALL_VARIABLES = -1;
/** Fewer iterations are not worth it. */
const SHORTEST = 8;

/**
 * Emits the run of a loop (`loop-run.ts`), in front of the block and behind the check of the budget. `tries` is a local
 * that counts iterations down to the next try.
 */
export function emitRun(region: RunSurroundings, block: Block, run: LoopRun, tries: number): void {
  const { code, emitter } = region;
  code.localGet(tries);
  code.constant(1);
  code.byte(OP.i32_sub);
  code.localTee(tries);
  code.byte(OP.i32_eqz);
  emitter.open(OP.if);
  emitter.scoped(() => {
    const count = emitter.temporary();
    const addends = new Map(run.groups.map(({ group }) => [group, emitter.temporary()]));
    const giveUp = emitter.depth;
    emitter.open(OP.block);
    emitter.scoped(() => {
      countWithinBudget(code, block, count);
      for (const moving of run.groups)
        countWithinPage(emitter, moving, addends.get(moving.group)!, count, () => emitter.branch(OP.br_if, giveUp));
    });
    code.localGet(count);
    code.constant(SHORTEST);
    code.byte(OP.i32_lt_u);
    emitter.branch(OP.br_if, giveUp);
    code.localGet(LOCAL.budget);
    code.localGet(count);
    code.constant(block.instructions);
    code.byte(OP.i32_mul);
    code.byte(OP.i32_sub);
    code.localSet(LOCAL.budget);
    emitLoop(region, block, run, tries, count, addends);
    emitter.close();
    code.constant(NEXT_TRY);
    code.localSet(tries);
  });
  emitter.close();
}

function emitLoop(
  region: RunSurroundings,
  block: Block,
  run: LoopRun,
  tries: number,
  count: number,
  addends: ReadonlyMap<AccessGroup, number>,
): void {
  const { code, emitter } = region;
  /** All iterations have been paid for; those behind this one will not be run. */
  const refund = (): void => {
    code.localGet(count);
    code.constant(1);
    code.byte(OP.i32_sub);
    code.constant(block.instructions);
    code.byte(OP.i32_mul);
    code.localGet(LOCAL.budget);
    code.byte(OP.i32_add);
    code.localSet(LOCAL.budget);
  };
  const level = emitter.depth;
  emitter.open(OP.loop);
  emitter.scoped(() => {
    region.steps(addends, refund);
    emitter.push(run.condition);
    if (run.whenTrue) code.byte(OP.i32_eqz);
    emitter.open(OP.if);
    emitter.scoped(() => {
      region.assign(ALL_VARIABLES);
      refund();
      // The loop around this one may have the same header.
      code.constant(FIRST_TRY);
      code.localSet(tries);
      region.follow(run.exit);
    });
    emitter.close();
    code.localGet(count);
    code.constant(1);
    code.byte(OP.i32_sub);
    code.localTee(count);
    emitter.open(OP.if);
    // Flags and the like are worth computing in the last iteration only.
    emitter.scoped(() => region.assign(run.leaves ? ALL_VARIABLES : block.reads));
    emitter.branch(OP.br, level);
    emitter.close();
    region.assign(ALL_VARIABLES);
    // The next page.
    code.constant(1);
    code.localSet(tries);
    emitter.branch(OP.br, region.loopLevel);
  });
  emitter.close();
}

/** `count` = iterations that the budget allows, with enough of it left for the way behind the loop. */
function countWithinBudget(code: Code, block: Block, count: number): void {
  code.localGet(LOCAL.budget);
  code.constant(block.pathLength - block.instructions);
  code.byte(OP.i32_sub);
  code.constant(block.instructions);
  code.byte(OP.i32_div_u);
  code.localSet(count);
}

/** Gives up unless the group is on one page in the TLB; limits `count` to the iterations that it stays there. */
function countWithinPage(
  emitter: BlockEmitter,
  { group, stride }: RunGroup,
  addend: number,
  count: number,
  giveUp: () => void,
): void {
  const { code } = emitter;
  const address = emitter.temporary();
  if (typeof stride !== 'number') {
    // Only upwards: it is a large one else.
    emitter.push(stride);
    code.constant(1);
    code.byte(OP.i32_sub);
    code.constant(LONGEST_STRIDE);
    code.byte(OP.i32_ge_u);
    giveUp();
  }
  emitter.lookUp(group, address, addend);
  giveUp();
  emitter.makeAddend(group, addend);
  if (stride === 0) return;
  const iterations = emitter.temporary();
  const upwards = typeof stride !== 'number' || stride > 0;
  if (upwards) code.constant(0x1000 - group.span);
  code.localGet(address);
  code.constant(0xfff);
  code.byte(OP.i32_and);
  if (upwards) code.byte(OP.i32_sub);
  if (typeof stride === 'number') code.constant(Math.abs(stride));
  else emitter.push(stride);
  code.byte(OP.i32_div_u);
  code.constant(1);
  code.byte(OP.i32_add);
  code.localTee(iterations);
  code.localGet(count);
  code.localGet(iterations);
  code.localGet(count);
  code.byte(OP.i32_lt_u);
  code.byte(OP.select);
  code.localSet(count);
}
