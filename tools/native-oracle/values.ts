/** Operand values where integer arithmetic has edges. */

import type { Dice } from '../x87-oracle/questions.js';

const EDGES = [
  ...[0, 1, 2, 3, 6, 9, 10, 15, 16, 31, 32, 0x7f, 0x80, 0x81, 0x99, 0x9a, 0xfe, 0xff, 0x100, 0x101],
  ...[0x7ffe, 0x7fff, 0x8000, 0x8001, 0xfffe, 0xffff, 0x1_0000, 0x1_0001, 0x7f_ffff, 0x80_0000],
  ...[0x7fff_fffe, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xffff_7fff, 0xffff_8000, 0xffff_ff7f, 0xffff_ff80],
  ...[0xffff_fffe, 0xffff_ffff, 0x5555_5555, 0xaaaa_aaaa, 0x0f0f_0f0f, 0x1234_5678],
];

/** A 32-bit value: an edge, an edge in its low byte or word, a power of two, or anything. */
export function pickValue(dice: Dice): number {
  switch (dice.below(8)) {
    case 0:
    case 1:
      return dice.pick(EDGES);
    case 2:
      return ((dice.word() & ~0xffff) | (dice.pick(EDGES) & 0xffff)) >>> 0;
    case 3:
      return ((dice.word() & ~0xffff) | ((dice.pick(EDGES) & 0xff) << 8) | (dice.pick(EDGES) & 0xff)) >>> 0;
    case 4:
      return ((1 << dice.below(32)) - dice.below(2)) >>> 0;
    default:
      return dice.word();
  }
}

export function pickWide(dice: Dice): bigint {
  return (BigInt(pickValue(dice)) << 32n) | BigInt(pickValue(dice));
}

/** True once in `n`. */
export function oneIn(dice: Dice, n: number): boolean {
  return dice.below(n) === 0;
}

export function littleEndian(value: number, bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => (i < 4 ? value >>> (8 * i) : 0));
}
