import type { Size } from '../isa/builder.js';
import { OP } from '../wasm/code.js';
import * as n from './node.js';
import type { Node } from './node.js';

/** How the flag words are represented: `STORED`, in their own locals; else the bits of operands, +1: subtracted. */
export type FlagForm = number;
export const STORED: FlagForm = 0;

/** What the flag words were last computed from. */
export interface FlagSource {
  readonly operation: 'add' | 'sub' | 'logic';
  readonly size: Size;
  readonly x: Node;
  readonly y: Node;
  readonly result: Node;
  /** The words themselves: another pair in the variables means that the source is out of date. */
  readonly words: readonly [Node, Node];
}

/** The same of a comparison of numbers, none of which is a NaN. */
export interface FloatFlagSource {
  readonly less: Node;
  readonly equal: Node;
  readonly words: readonly [Node, Node];
}

/** The even condition 2 × `kind`; OF, SF, AF and PF are 0. */
export function floatCondition({ less, equal }: FloatFlagSource, kind: number): Node {
  switch (kind) {
    case 1:
      return less;
    case 2:
    case 7:
      return equal;
    case 3:
      return n.comparison(less.opcode === OP.f64_lt ? OP.f64_le : OP.f32_le, less.a!, less.b!);
    default:
      return n.constant(0);
  }
}

/** The even condition 2 × `kind`, if there is a way to it without the flag words. */
export function integerCondition({ operation, size, x, y, result }: FlagSource, kind: number): Node | undefined {
  const signed = (node: Node): Node =>
    size === 32 ? node : n.unary(size === 8 ? OP.i32_extend8_s : OP.i32_extend16_s, node, false);
  const none = n.constant(0);
  if (kind === 2) return operation === 'sub' ? n.comparison(OP.i32_eq, x, y) : n.isZero(result);
  if (kind === 4) return n.comparison(OP.i32_lt_s, signed(result), none);
  if (operation === 'add') return kind === 1 ? n.comparison(OP.i32_lt_u, result, x) : undefined;
  if (operation === 'logic') {
    // CF and OF are 0.
    if (kind === 0 || kind === 1) return none;
    if (kind === 3) return n.isZero(result);
    if (kind === 6) return n.comparison(OP.i32_lt_s, signed(result), none);
    return kind === 7 ? n.comparison(OP.i32_le_s, signed(result), none) : undefined;
  }
  switch (kind) {
    case 1:
      return n.comparison(OP.i32_lt_u, x, y);
    case 3:
      return n.comparison(OP.i32_le_u, x, y);
    case 6:
      return n.comparison(OP.i32_lt_s, signed(x), signed(y));
    case 7:
      return n.comparison(OP.i32_le_s, signed(x), signed(y));
    default:
      return undefined;
  }
}
