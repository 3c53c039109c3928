import { analyse, orderBlocks } from './analysis.js';
import type { BlockBuilder } from './block-builder.js';
import { type Block, createBlocks, type Piece } from './blocks.js';
import { Inliner } from './inlining.js';
import type { Scan } from './scan.js';
import { shareChecks } from './shared-checks.js';
import { LARGEST_SPAN, SMALLEST_SPAN } from './steps.js';
import { unrollLoops } from './unrolling.js';

/** Blocks of a region to be, ready for the emitter. */
export interface Draft {
  readonly blocks: readonly Block[];
  /** The bytes it is made from. */
  readonly pieces: readonly Piece[];
  /** Copies of loops are not counted. */
  readonly instructions: number;
}

/**
 * Analyses scanned code; undefined if not even its first instruction can be translated. `room`: instructions of inlined
 * functions, at most. `narrow`: without checks for several accesses.
 */
export function draftRegion(
  root: Scan,
  callees: ReadonlyMap<number, Scan>,
  room: number,
  narrow: boolean,
  newBuilder: () => BlockBuilder,
): Draft | undefined {
  const { blocks: found, copy } = createBlocks(Inliner.root(root), new Inliner(room, callees), newBuilder);
  const first = found.find((block) => !block.hub)!;
  if (first.instructions === 0) return undefined;
  const once = orderBlocks(found[0]!);
  unrollLoops(once, copy);
  const blocks = analyse(found[0]!);
  shareChecks(blocks, narrow ? SMALLEST_SPAN : LARGEST_SPAN);
  const pieces = once.flatMap((block) => block.pieces);
  return { blocks, pieces, instructions: once.reduce((sum, block) => sum + block.instructions, 0) };
}
