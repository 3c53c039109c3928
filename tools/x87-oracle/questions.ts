/**
 * Makes up cases for the oracle: operands where x87 arithmetic has edges, and
 * a deterministic stream of numbers to pick them with.
 */

import { type Operation, operations, questionBytes } from './replay.js';

/** A 32-bit xorshift generator: the same questions on every machine. */
export class Dice {
  private state: number;

  constructor(seed: number) {
    this.state = seed | 0 || 1;
  }

  word(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return x >>> 0;
  }

  below(limit: number): number {
    return this.word() % limit;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  long(): bigint {
    return (BigInt(this.word()) << 32n) | BigInt(this.word());
  }
}

interface Raw {
  exponent: number;
  significand: bigint;
}

const top = 1n << 63n;
const ones = (1n << 64n) - 1n;

const edges: readonly Raw[] = [
  { exponent: 0, significand: 0n },
  { exponent: 0, significand: 1n },
  { exponent: 0, significand: top - 1n },
  { exponent: 0, significand: top },
  { exponent: 0, significand: ones },
  { exponent: 1, significand: top },
  { exponent: 1, significand: top + 1n },
  { exponent: 1, significand: top - 1n },
  { exponent: 0x3fff, significand: top },
  { exponent: 0x3fff, significand: top + 1n },
  { exponent: 0x3ffe, significand: ones },
  { exponent: 0x4000, significand: top },
  { exponent: 0x3fff, significand: 0n },
  { exponent: 0x7ffe, significand: ones },
  { exponent: 0x7ffe, significand: top },
  { exponent: 0x7fff, significand: top },
  { exponent: 0x7fff, significand: 0n },
  { exponent: 0x7fff, significand: 1n },
  { exponent: 0x7fff, significand: top | (top >> 1n) },
  { exponent: 0x7fff, significand: ones },
  { exponent: 0x7fff, significand: top | 1n },
  { exponent: 0x7fff, significand: top | (top >> 1n) | 1n },
  { exponent: 0x7fff, significand: top >> 1n },
];

/** Exponents near which formats, ranges and algorithms change. */
const interestingExponents: readonly number[] = [
  0,
  1,
  2,
  63,
  64,
  65,
  24575,
  24576,
  24577,
  0x3fff,
  0x3fff - 63,
  0x3fff - 64,
  0x3fff - 67,
  0x3fff + 15,
  0x3fff + 16,
  0x3fff + 31,
  0x3fff + 32,
  0x3fff + 59,
  0x3fff + 60,
  0x3fff + 62,
  0x3fff + 63,
  0x3fff + 64,
  0x3fff - 126,
  0x3fff - 127,
  0x3fff - 149,
  0x3fff - 150,
  0x3fff - 151,
  0x3fff + 127,
  0x3fff + 128,
  0x3fff - 1022,
  0x3fff - 1023,
  0x3fff - 1074,
  0x3fff - 1075,
  0x3fff + 1023,
  0x3fff + 1024,
  0x7ffe,
  0x7ffd,
  0x7ffe - 63,
  0x7fff,
];

function rollSignificand(dice: Dice): bigint {
  switch (dice.below(8)) {
    case 0:
      return top;
    case 1:
      return ones;
    case 2: // few bits
      return top | (1n << BigInt(dice.below(63))) | (1n << BigInt(dice.below(63)));
    case 3: // a run of ones down to a random place
      return ones ^ ((1n << BigInt(dice.below(64))) - 1n);
    case 4: // just around a rounding boundary of 24 or 53 bits
      return BigInt.asUintN(
        64,
        top | ((dice.long() >> 40n) << 40n) | (1n << BigInt(dice.pick([39, 10]))) | BigInt(dice.below(3)),
      );
    case 5: // fits 24 bits
      return top | ((dice.long() >> 40n) << 40n);
    case 6: // a small integer
      return top | (BigInt(dice.below(256)) << 55n);
    default:
      return top | dice.long();
  }
}

function rollExponent(dice: Dice): number {
  switch (dice.below(4)) {
    case 0:
      return dice.pick(interestingExponents);
    case 1:
      return Math.max(0, Math.min(0x7fff, dice.pick(interestingExponents) + dice.below(9) - 4));
    case 2:
      return 0x3fff - 70 + dice.below(141);
    default:
      return dice.below(0x8000);
  }
}

function rollRegister(dice: Dice): Raw {
  switch (dice.below(8)) {
    case 0:
      return dice.pick(edges);
    case 1: // denormal, pseudo-denormal
      return { exponent: 0, significand: dice.long() >> BigInt(dice.below(64)) };
    case 2: {
      // anything in the NaN space or, rarely, unsupported
      const significand = rollSignificand(dice) ^ (dice.below(8) === 0 ? top : 0n);
      return { exponent: dice.below(2) === 0 ? 0x7fff : rollExponent(dice), significand };
    }
    default:
      return { exponent: rollExponent(dice), significand: rollSignificand(dice) };
  }
}

/** The second operand is often near the first: cancellation, ties, small quotients. */
function rollSecond(dice: Dice, first: Raw): Raw {
  if (dice.below(4) !== 0) return rollRegister(dice);
  const exponent = Math.max(0, Math.min(0x7fff, first.exponent + dice.below(141) - 70));
  const significand = dice.below(2) === 0 ? first.significand : rollSignificand(dice);
  if (dice.below(2) === 0) return { exponent: first.exponent, significand: significand ^ BigInt(dice.below(4)) };
  return { exponent, significand };
}

/** Memory operands reuse the edges of registers, squeezed into their format. */
function rollMemory(dice: Dice, operand: Operation['operand'], bytes: DataView, offset: number): void {
  bytes.setBigUint64(offset, dice.long(), true);
  bytes.setUint16(offset + 8, dice.word() & 0xffff, true);
  const shape = dice.below(4);
  if (operand === 'float32' || operand === 'float64') {
    const [width, exponentBits] = operand === 'float32' ? [32, 8] : [64, 11];
    const fractionBits = width - exponentBits - 1;
    const exponent = dice.pick([
      0,
      0,
      1,
      (1 << exponentBits) - 1,
      (1 << exponentBits) - 2,
      dice.below(1 << exponentBits),
    ]);
    const significand =
      shape === 0 ? 0n : shape === 1 ? dice.long() >> BigInt(dice.below(64)) : rollSignificand(dice) << 1n;
    const fraction = BigInt.asUintN(64, significand) >> BigInt(64 - fractionBits);
    const sign = BigInt(dice.below(2)) << BigInt(width - 1);
    bytes.setBigUint64(offset, sign | (BigInt(exponent) << BigInt(fractionBits)) | fraction, true);
  } else if (operand === 'decimal') {
    for (let i = 0; i < 10; i++) if (shape !== 0) bytes.setUint8(offset + i, dice.below(10) | (dice.below(10) << 4));
    if (shape === 1) bytes.setBigUint64(offset, BigInt(dice.below(10)), true);
    bytes.setUint8(offset + 9, dice.word() & (shape === 2 ? 0xff : 0x80));
  } else if (operand !== 'float80' && shape < 2) {
    const value = dice.pick([0n, 1n, -1n, 2n, 0x7fffn, -0x8000n, 0x7fffffffn, -0x80000000n, top - 1n, -top, 10n]);
    bytes.setBigInt64(offset, BigInt.asIntN(64, value), true);
  } else if (operand === 'float80') {
    writeRaw(dice, rollRegister(dice), bytes, offset);
  }
}

function writeRaw(dice: Dice, raw: Raw, bytes: DataView, offset: number): void {
  bytes.setBigUint64(offset, BigInt.asUintN(64, raw.significand), true);
  bytes.setUint16(offset + 8, (dice.below(2) << 15) | raw.exponent, true);
}

/** The domain in which a transcendental function has something to compute. */
function rollArgument(dice: Dice, name: string): Raw {
  if (dice.below(4) === 0) return rollRegister(dice);
  const significand = rollSignificand(dice);
  if (name === 'f2xm1' || name === 'fyl2xp1')
    return { exponent: 0x3fff - 1 - dice.below(dice.pick([2, 20, 70, 400])), significand };
  if (name === 'fyl2x' && dice.below(3) === 0) return { exponent: 0x3ffe + dice.below(2), significand };
  if (name === 'fpatan' || name === 'fyl2x') return { exponent: rollExponent(dice), significand };
  return { exponent: 0x3fff + 64 - dice.below(dice.pick([66, 70, 100, 300])), significand };
}

function rollControl(dice: Dice): number {
  const modes = (dice.below(4) << 10) | (dice.pick([3, 3, 2, 0, 0, 1]) << 8);
  // Mostly all masked; else a single one unmasked, or any mixture.
  const masks = [0x3f, 0x3f, 0x3f ^ (1 << dice.below(6)), dice.below(64)];
  return modes | dice.pick(masks) | 0x40;
}

export function makeQuestion(dice: Dice, operation: number): Uint8Array {
  const question = new Uint8Array(questionBytes);
  const bytes = new DataView(question.buffer);
  const { operand, transcendental, name } = operations[operation]!;
  bytes.setUint8(0, operation);
  bytes.setUint8(1, dice.below(16));
  bytes.setUint16(2, rollControl(dice), true);
  const first = transcendental ? rollArgument(dice, name) : rollRegister(dice);
  writeRaw(dice, first, bytes, 4);
  if (operand === 'register' || operand === 'none') writeRaw(dice, rollSecond(dice, first), bytes, 14);
  else rollMemory(dice, operand, bytes, 14);
  return question;
}
