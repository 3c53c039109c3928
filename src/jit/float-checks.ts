import type { FloatAssumption, Value } from '../isa/builder.js';
import { STATE } from '../memory/layout.js';
import { OP } from '../wasm/code.js';
import { SIMD } from '../wasm/simd.js';
import * as n from './node.js';
import type { Node } from './node.js';
import { type AccessSize, LEAVE, type Place, type Step } from './steps.js';
import { extractedFrom, lowest, operate, shuffle } from './vector-nodes.js';

/** What is needed of the `BlockBuilder`. */
interface Owner {
  steps: Step[];
  readonly place: Place;
  loadState(offset: number, size: AccessSize): Node;
}

/** Of MXCSR the masks, the rounding mode and PE: all exceptions masked, rounding to nearest, PE. */
const MODES_AND_PRECISION = 0x7fa0;
const SETTLED = 0x1fa0;

/**
 * By width: what moves the numbers' upper 32 bits, without the sign, so that those of zeros, infinities, NaNs and the
 * smallest numbers come to lie at the lower end of the signed integers; and the first beyond them. Their last places
 * are worth so much that sums of them, sums of sums too, are normal numbers or zeros. `filler` is a bit of the exponent
 * that makes such a number of a zero, and an infinity of few.
 */
const RANGE = {
  32: { offset: 0x8100_0000, first: 0x9b00_0000, filler: 0x2000_0000 },
  64: { offset: 0x8020_0000, first: 0x8720_0000, filler: 0x0800_0000 },
} as const;
/** Upper halves of four doubles in two vectors. */
const UPPER_HALVES = [1, 3, 5, 7].flatMap((word) => [0, 1, 2, 3].map((byte) => 4 * word + byte));
const LOWER_LANES = [0, 1].flatMap((half) => [0, 1, 2, 3, 4, 5, 6, 7].map((byte) => 16 * half + byte));

/** What is to be compared. */
interface Numbers {
  /** Two doubles each. */
  readonly pairs: Node[];
  /** f64 and f32. */
  readonly doubles: Node[];
  readonly singles: Node[];
}

/** By the width that they are looked at with: what is an ordinary float may be no ordinary double. */
class NodesByWidth {
  // Most blocks have none.
  private nodes: { readonly 32: Set<Node>; readonly 64: Set<Node> } | undefined;

  has(node: Node, width: 32 | 64): boolean {
    return this.nodes?.[width].has(node) ?? false;
  }
  add(node: Node, width: 32 | 64): void {
    this.nodes ??= { 32: new Set(), 64: new Set() };
    this.nodes[width].add(node);
  }
  clear(): void {
    this.nodes = undefined;
  }
  copy(): NodesByWidth {
    const copy = new NodesByWidth();
    if (this.nodes) copy.nodes = { 32: new Set(this.nodes[32]), 64: new Set(this.nodes[64]) };
    return copy;
  }
}

/** Assumptions since `place`, none of which has been checked. */
interface Pending {
  readonly place: Place;
  readonly numbers: Numbers;
  /** Sums of numbers, which may be zeros. */
  readonly sums: Numbers;
  /** Others that may be zeros. */
  readonly orZeros: Numbers;
  /** All numbers that are compared here. */
  readonly compared: NodesByWidth;
  /** Masks of what is not plainly right. */
  doubts: Node;
  /** Steps and conditions that find out exactly. */
  readonly exactly: Step[];
  holds: Node;
}

/**
 * What the floating-point instructions of a block take for granted is checked for many of them at once, before
 * anything happens that others can see: a store, the end of the block. Until then the block is left, for whatever
 * reason, to the place before the first of them, so that nothing has been done yet.
 *
 * The check is one comparison for four numbers. Only if it fails, as it does for zeros that are no sums, each
 * instruction's own condition is computed.
 */
export class FloatChecks {
  private pending: Pending | undefined;
  /** Numbers that have been looked at; those of `lowest`, and vectors. */
  private readonly seen = new NodesByWidth();
  /** The same, where they may be zeros. */
  private readonly seenOrZero = new NodesByWidth();
  /** Zero if MXCSR is as usual, and PE set. */
  private modes: Node | undefined;

  /** `anyNumbers`: what has been found right may be anything. */
  constructor(
    private readonly owner: Owner,
    private readonly anyNumbers: boolean,
  ) {}

  /** Where to go if the block has to be left. */
  get place(): Place | undefined {
    return this.pending?.place;
  }

  assume({ width, lowest: onlyLowest, numbers, orZeros, sum, doubts, holds }: FloatAssumption): void {
    const { owner } = this;
    if (!this.modes) {
      const modes = n.binary(OP.i32_and, owner.loadState(STATE.mxcsr, 32), n.constant(MODES_AND_PRECISION));
      this.modes = n.binary(OP.i32_xor, modes, n.constant(SETTLED));
    }
    this.pending ??= {
      place: owner.place,
      numbers: { pairs: [], doubles: [], singles: [] },
      sums: { pairs: [], doubles: [], singles: [] },
      orZeros: { pairs: [], doubles: [], singles: [] },
      compared: new NodesByWidth(),
      doubts: n.vectorConstant(0n, 0n),
      exactly: [],
      holds: n.constant(1),
    };
    const { pending } = this;
    const laneOf = (number: Value): Node => (onlyLowest ? lowest(number as Node, width) : (number as Node));
    const nodes = numbers.map(laneOf);
    for (const node of nodes) this.look(node, width, onlyLowest, false);
    // What has only been found out exactly may be too small.
    if (sum)
      this.look(
        laneOf(sum),
        width,
        onlyLowest,
        nodes.every((node) => pending.compared.has(node, width)),
      );
    for (const number of orZeros ?? []) this.lookUnlessZero(laneOf(number), width, onlyLowest);
    if (doubts) this.doubt(doubts as Node);
    this.gather(false);
    const { steps } = owner;
    owner.steps = pending.exactly;
    pending.holds = n.binary(OP.i32_and, holds() as Node, pending.holds);
    owner.steps = steps;
  }

  /** `mayBeZero`: a sum of numbers that are compared here. */
  private look(node: Node, width: 32 | 64, onlyLowest: boolean, mayBeZero: boolean): void {
    if (this.seen.has(node, width)) return;
    this.seen.add(node, width);
    const { compared, sums, numbers } = this.pending!;
    compared.add(node, width);
    if (!onlyLowest && width === 32) this.doubt(outside(node, width, mayBeZero));
    else add(mayBeZero ? sums : numbers, node, width, onlyLowest);
  }

  private lookUnlessZero(node: Node, width: 32 | 64, onlyLowest: boolean): void {
    if (this.seen.has(node, width) || this.seenOrZero.has(node, width)) return;
    this.seenOrZero.add(node, width);
    if (!onlyLowest && width === 32) this.doubt(outside(withoutZeros(node, width), width, false));
    else add(this.pending!.orZeros, node, width, onlyLowest);
  }

  private doubt(mask: Node): void {
    const pending = this.pending!;
    pending.doubts = operate(SIMD.v128_or, [pending.doubts, mask], 'v');
    this.owner.steps.push({ kind: 'keep', node: pending.doubts });
  }

  /** Compares numbers as soon as there are four; `all`: those that remain. */
  private gather(all: boolean): void {
    const { numbers, sums, orZeros } = this.pending!;
    const same = (vector: Node): Node => vector;
    this.gatherOf(numbers, false, all, same);
    this.gatherOf(sums, true, all, same);
    this.gatherOf(orZeros, false, all, withoutZeros);
  }

  private gatherOf(
    { pairs, doubles, singles }: Numbers,
    mayBeZero: boolean,
    all: boolean,
    prepare: (vector: Node, width: 32 | 64) => Node,
  ): void {
    while (doubles.length >= (all ? 1 : 2)) {
      const [a, b] = doubles.splice(0, 2);
      pairs.push(pairOf(a!, b ?? a!));
    }
    while (pairs.length >= (all ? 1 : 2)) {
      const [a, b] = pairs.splice(0, 2).map((pair) => prepare(pair, 64));
      this.doubt(outside(shuffle(a!, b ?? a!, UPPER_HALVES), 64, mayBeZero));
    }
    while (singles.length >= (all ? 1 : 4)) {
      const [first, ...others] = singles.splice(0, 4);
      let vector = n.simd(SIMD.f32x4_splat, [first!], 'v');
      for (const [i, single] of others.entries())
        vector = n.simd(SIMD.f32x4_replace_lane, [vector, single], 'v', [i + 1]);
      this.doubt(outside(prepare(vector, 32), 32, mayBeZero));
    }
  }

  /** Checks what has been taken for granted. */
  check(): void {
    if (!this.pending) return;
    this.gather(true);
    const { doubts, exactly, holds, place } = this.pending;
    this.pending = undefined;
    if (this.anyNumbers) {
      this.seen.clear();
      this.seenOrZero.clear();
    }
    exactly.push({ kind: 'leave', condition: n.isZero(holds), reason: LEAVE.numbers, place });
    const found = n.simd(SIMD.i32x4_bitmask, [doubts], 'i');
    const condition = n.binary(OP.i32_or, found, this.modes!);
    this.owner.steps.push({ kind: 'branch', condition, taken: exactly, otherwise: [], merges: [] });
  }

  /** MXCSR may have changed. */
  forgetModes(): void {
    this.modes = undefined;
  }

  /** The last instruction is not translated after all: forgets what it has assumed. */
  save(): () => void {
    const { pending, modes } = this;
    const copy = pending && {
      ...pending,
      numbers: copyOf(pending.numbers),
      sums: copyOf(pending.sums),
      orZeros: copyOf(pending.orZeros),
      compared: pending.compared.copy(),
      exactly: [...pending.exactly],
    };
    return () => {
      this.pending = copy;
      this.modes = modes;
    };
  }
}

function copyOf({ pairs, doubles, singles }: Numbers): Numbers {
  return { pairs: [...pairs], doubles: [...doubles], singles: [...singles] };
}

function add({ pairs, doubles, singles }: Numbers, node: Node, width: 32 | 64, onlyLowest: boolean): void {
  (!onlyLowest ? pairs : width === 32 ? singles : doubles).push(node);
}

/** Ones in place of zeros. */
function withoutZeros(vector: Node, width: 32 | 64): Node {
  const equal = width === 32 ? SIMD.f32x4_eq : SIMD.f64x2_eq;
  const zeros = n.simd(equal, [vector, n.vectorConstant(0n, 0n)], 'v');
  const one = width === 32 ? 0x3f80_0000n * 0x1_0000_0001n : 0x3ff0_0000_0000_0000n;
  return n.simd(SIMD.v128_or, [vector, n.simd(SIMD.v128_and, [zeros, n.vectorConstant(one, one)], 'v')], 'v');
}

/** Masks of the numbers that are infinities, NaNs, zeros (unless they may be), or too small to be beyond doubt. */
function outside(upper: Node, width: 32 | 64, mayBeZero: boolean): Node {
  const { offset, first, filler } = RANGE[width];
  const shifted = n.simd(SIMD.i32x4_shl, [upper, n.constant(1)], 'v');
  const magnitudes = mayBeZero ? n.simd(SIMD.v128_or, [shifted, everywhere(filler)], 'v') : shifted;
  const moved = n.simd(SIMD.i32x4_add, [magnitudes, everywhere(offset)], 'v');
  return n.simd(SIMD.i32x4_gt_s, [everywhere(first), moved], 'v');
}

function everywhere(word: number): Node {
  const half = BigInt(word) * 0x1_0000_0001n;
  return n.vectorConstant(half, half);
}

/** Two doubles in one vector, in any order. */
function pairOf(a: Node, b: Node): Node {
  const [first, second] = [extractedFrom(a), extractedFrom(b)];
  if (first && second) return shuffle(first, second, LOWER_LANES);
  if (first) return n.simd(SIMD.f64x2_replace_lane, [first, b], 'v', [1]);
  if (second) return n.simd(SIMD.f64x2_replace_lane, [second, a], 'v', [1]);
  const both = n.simd(SIMD.f64x2_splat, [a], 'v');
  return a === b ? both : n.simd(SIMD.f64x2_replace_lane, [both, b], 'v', [1]);
}
