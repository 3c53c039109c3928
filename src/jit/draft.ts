import { analyse } from './analysis.js';
import { type BlockBuilder, LARGEST_SPAN, SMALLEST_SPAN } from './block-builder.js';
import { type Block, createBlocks, type Piece } from './blocks.js';
import { Inliner } from './inlining.js';
import type { Scan } from './scan.js';
import { shareChecks } from './shared-checks.js';

/** Blocks of a region to be, ready for the emitter. */
export interface Draft {
  readonly blocks: readonly Block[];
  /** The bytes it is made from. */
  readonly pieces: readonly Piece[];
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
  const found = createBlocks(Inliner.root(root), new Inliner(room, callees), newBuilder);
  const first = found.find((block) => !block.hub)!;
  if (first.instructions === 0) return undefined;
  const blocks = analyse(found[0]!);
  shareChecks(blocks, narrow ? SMALLEST_SPAN : LARGEST_SPAN);
  const pieces = blocks.flatMap((block) => block.pieces);
  return { blocks, pieces, instructions: blocks.reduce((sum, block) => sum + block.instructions, 0) };
}
