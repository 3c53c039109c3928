import type { Builder, Value } from './builder.js';
import { condition, unpackFlags } from './flags.js';
import {
  BIAS,
  type Float80Value,
  INTEGER_BIT,
  type X87Binary,
  type X87Circular,
  type X87Comparison,
  type X87Remainder,
  type X87Stack,
  type X87Store,
  type X87Unary,
} from './x87-stack.js';

/**
 * What x87 instructions do where nothing is special about them (`X87Stack`): the helper that a row names does the
 * same, and all the rest.
 */
export type X87Meaning = (b: Builder, x87: X87Stack) => void;

/** Formats of memory operands, in the order of the opcodes; numbers as the helpers know them. */
export const FLOAT32 = { format: 0, bytes: 4, suffix: 'd' };
export const INT32 = { format: 1, bytes: 4, suffix: 'd' };
export const FLOAT64 = { format: 2, bytes: 8, suffix: 'q' };
export const INT16 = { format: 3, bytes: 2, suffix: 'w' };
export const INT64 = { format: 4, bytes: 8, suffix: 'q' };
export type Format = typeof FLOAT32;

// --- operands -------------------------------------------------------------------------------

function fromInteger(b: Builder, x87: X87Stack, integer: Value): Float80Value {
  const value = normalized(b, integer);
  x87.noteOrdinary(value);
  return value;
}

function normalized(b: Builder, value: Value): Float80Value {
  const negative = b.ltS(value, b.const64(0n));
  const magnitude = b.select(negative, b.sub(b.const64(0n), value), value);
  const zeros = b.clz(magnitude);
  const exponent = b.or(b.sub(b.const(BIAS + 63), b.toNarrow(zeros)), b.shl(negative, b.const(15)));
  return {
    significand: b.shl(magnitude, zeros),
    exponent: b.select(b.isZero(value), b.const(0), exponent),
  };
}

/** Memory operand 0. Denormals and NaNs are for the helper. */
function readMemory(b: Builder, x87: X87Stack, format: Format): Float80Value {
  x87.noteOperand(b.address(0, format.bytes, false));
  switch (format) {
    case FLOAT32:
      return x87.fromSingle(b.read(0));
    case FLOAT64:
      return x87.fromDouble(b.read64(0));
    case INT16:
      return fromInteger(b, x87, b.toWideS(b.signExtend16(b.read(0))));
    case INT32:
      return fromInteger(b, x87, b.toWideS(b.read(0)));
    default:
      return fromInteger(b, x87, b.read64(0));
  }
}

const ZERO = (b: Builder): Float80Value => ({ significand: b.const64(0n), exponent: b.const(0) });

// --- arithmetic -----------------------------------------------------------------------------

/** By the reg field of D8, DA, DC, DE; true: the operands are exchanged. */
const OPERATIONS: Readonly<Record<number, readonly [X87Binary, boolean]>> = {
  0: ['add', false],
  1: ['mul', false],
  4: ['sub', false],
  5: ['sub', true],
  6: ['div', false],
  7: ['div', true],
};

function operate(x87: X87Stack, operation: number, destination: Float80Value, source: Float80Value): Float80Value {
  const [routine, reversed] = OPERATIONS[operation]!;
  return reversed ? x87.compute(routine, source, destination) : x87.compute(routine, destination, source);
}

export function arithmeticWithMemory(operation: number, format: Format): X87Meaning {
  return (b, x87) => {
    x87.begin([0], []);
    x87.set(0, operate(x87, operation, x87.get(0), readMemory(b, x87, format)));
  };
}

/** `form`: 0 to ST(0), 1 to ST(i), 2 to ST(i) and pop. */
export function arithmeticWithRegister(operation: number, form: number): X87Meaning {
  return (b, x87) => {
    const { number } = b.form;
    const [destination, source] = form === 0 ? [0, number] : [number, 0];
    x87.begin([0, number], []);
    x87.set(destination, operate(x87, operation, x87.get(destination), x87.get(source)));
    if (form === 2) x87.pop(1);
  };
}

export function unary(routine: X87Unary): X87Meaning {
  return (_, x87) => {
    x87.begin([0], []);
    x87.set(0, x87.compute(routine, x87.get(0)));
  };
}

export const scale: X87Meaning = (_, x87) => {
  x87.begin([0, 1], []);
  x87.set(0, x87.compute('scale', x87.get(0), x87.get(1)));
};

/** ST(1) from ST(0) and ST(1), and pop: FYL2X, FYL2XP1, FPATAN. */
export function poppingBinary(routine: X87Binary): X87Meaning {
  return (_, x87) => {
    x87.begin([0, 1], []);
    x87.set(1, x87.compute(routine, x87.get(0), x87.get(1)));
    x87.pop(1);
  };
}

/** FSIN, FCOS. */
export function circular(routine: X87Circular): X87Meaning {
  return (_, x87) => {
    x87.begin([0], []);
    x87.set(0, x87.computeCircular(routine, x87.get(0)));
  };
}

export const sineAndCosine: X87Meaning = (_, x87) => {
  x87.begin([0], [7]);
  x87.set(0, x87.computeCircular('sineAndCosine', x87.get(0)));
  x87.push(x87.secondResult());
};

const NORMAL_EXPONENTS = 0x7ffe;

function refuseUnlessNormal(b: Builder, x87: X87Stack, exponent: Value): void {
  x87.refuse(b.isZero(b.ltU(b.sub(exponent, b.const(1)), b.const(NORMAL_EXPONENTS))));
}

/** FPTAN: 1 is pushed behind a number, the NaN itself behind a NaN. */
export const tangent: X87Meaning = (b, x87) => {
  x87.begin([0], [7]);
  const result = x87.computeCircular('tangent', x87.get(0));
  refuseUnlessNormal(b, x87, b.and(result.exponent, b.const(0x7fff)));
  x87.set(0, result);
  x87.push({ significand: b.const64(INTEGER_BIT), exponent: b.const(BIAS) });
};

/** FXTRACT of a normal number. */
export const extract: X87Meaning = (b, x87) => {
  x87.begin([0], [7]);
  const { significand, exponent } = x87.get(0);
  const biased = b.and(exponent, b.const(0x7fff));
  refuseUnlessNormal(b, x87, biased);
  x87.refuse(b.isZero(b.ltS(significand, b.const64(0n))));
  x87.set(0, fromInteger(b, x87, b.toWideS(b.sub(biased, b.const(BIAS)))));
  x87.push({ significand, exponent: b.or(b.and(exponent, b.const(0x8000)), b.const(BIAS)) });
};

/** FPREM, FPREM1. */
export function remainder(routine: X87Remainder): X87Meaning {
  return (_, x87) => {
    x87.begin([0, 1], []);
    x87.set(0, x87.computeRemainder(routine, x87.get(0), x87.get(1)));
  };
}

export const changeSign: X87Meaning = (b, x87) => {
  x87.begin([0], []);
  const { significand, exponent } = x87.get(0);
  x87.set(0, { significand, exponent: b.xor(exponent, b.const(0x8000)) });
};

export const absolute: X87Meaning = (b, x87) => {
  x87.begin([0], []);
  const { significand, exponent } = x87.get(0);
  x87.set(0, { significand, exponent: b.and(exponent, b.const(0x7fff)) });
};

// --- comparisons ----------------------------------------------------------------------------

export function compareWithMemory(format: Format, pops: number): X87Meaning {
  return (b, x87) => {
    x87.begin([0], []);
    x87.setConditions(x87.compare('compare', x87.get(0), readMemory(b, x87, format)));
    x87.pop(pops);
  };
}

/** `index`: another register than the encoding's. */
export function compareWithRegister(routine: X87Comparison, pops: number, index?: number): X87Meaning {
  return (b, x87) => {
    const other = index ?? b.form.number;
    x87.begin([0, other], []);
    x87.setConditions(x87.compare(routine, x87.get(0), x87.get(other)));
    x87.pop(pops);
  };
}

export function compareToFlags(routine: X87Comparison, pops: number): X87Meaning {
  return (b, x87) => {
    const { number } = b.form;
    x87.begin([0, number], []);
    const found = x87.compare(routine, x87.get(0), x87.get(number));
    // C0 becomes CF, C2 PF, C3 ZF.
    unpackFlags(b, b.and(b.shrU(found, b.const(8)), b.const(0x45)));
    x87.raise(b.and(found, b.const(0x3f)));
    x87.pop(pops);
  };
}

export const compareWithZero: X87Meaning = (b, x87) => {
  x87.begin([0], []);
  x87.setConditions(x87.compare('compare', x87.get(0), ZERO(b)));
};

export const examine: X87Meaning = (_, x87) => {
  x87.begin([0], []);
  x87.setConditions(x87.examine(x87.get(0)));
};

/** Conditions of integer instructions that FCMOVB, E, BE, U share. */
const MOVE_CONDITIONS = [2, 4, 6, 10] as const;

export function conditionalMove(which: number, negated: boolean): X87Meaning {
  return (b, x87) => {
    const { number } = b.form;
    x87.begin([0, number], [], true);
    const holds = condition(b, MOVE_CONDITIONS[which]! + Number(negated));
    const [old, other] = [x87.get(0), x87.get(number)];
    x87.set(0, {
      significand: b.select(holds, other.significand, old.significand),
      exponent: b.select(holds, other.exponent, old.exponent),
    });
  };
}

// --- loads and stores -----------------------------------------------------------------------

export function loadFromMemory(format: Format): X87Meaning {
  return (b, x87) => {
    x87.begin([], [7]);
    x87.push(readMemory(b, x87, format));
  };
}

export const loadTenBytes: X87Meaning = (b, x87) => {
  x87.begin([], [7]);
  x87.noteOperand(b.address(0, 10, false));
  x87.push({ significand: b.read64(0), exponent: b.readAt(0, b.const(8), 16) });
};

export const loadRegister: X87Meaning = (b, x87) => {
  x87.begin([b.form.number], [7]);
  x87.push(x87.get(b.form.number));
};

/** Exponent and significand of FLD1, FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2 and FLDZ, rounded to nearest. */
const CONSTANTS: readonly (readonly [number, bigint])[] = [
  [0x3fff, INTEGER_BIT],
  [0x4000, 0xd49a784bcd1b8afen],
  [0x3fff, 0xb8aa3b295c17f0bcn],
  [0x4000, 0xc90fdaa22168c235n],
  [0x3ffd, 0x9a209a84fbcff799n],
  [0x3ffe, 0xb17217f7d1cf79acn],
  [0, 0n],
];
const ROUNDING_CONTROL = 0xc00;

export function loadConstant(which: number): X87Meaning {
  return (b, x87) => {
    const [exponent, significand] = CONSTANTS[which]!;
    x87.begin([], [7]);
    const exact = which === 0 || which === 6;
    if (!exact) x87.refuse(b.and(b.state('fpuControl'), b.const(ROUNDING_CONTROL)));
    x87.push({ significand: b.const64(significand), exponent: b.const(exponent) });
  };
}

export function storeToRegister(pops: number): X87Meaning {
  return (b, x87) => {
    x87.begin([0], []);
    x87.set(b.form.number, x87.get(0));
    x87.pop(pops);
  };
}

const STORES: ReadonlyMap<Format, X87Store> = new Map([
  [FLOAT32, 'toSingle'],
  [FLOAT64, 'toDouble'],
  [INT16, 'toInteger16'],
  [INT32, 'toInteger32'],
  [INT64, 'toInteger64'],
]);
const TRUNCATING_STORES: ReadonlyMap<Format, X87Store> = new Map([
  [INT16, 'truncate16'],
  [INT32, 'truncate32'],
  [INT64, 'truncate64'],
]);

export function storeToMemory(format: Format, pops: number, truncating = false): X87Meaning {
  return (b, x87) => {
    x87.begin([0], []);
    x87.noteOperand(b.address(0, format.bytes, true));
    const bits = x87.store((truncating ? TRUNCATING_STORES : STORES).get(format)!, x87.get(0));
    if (format.bytes === 8) b.write64(0, bits);
    else b.write(0, b.toNarrow(bits));
    x87.pop(pops);
  };
}

export const storeTenBytes: X87Meaning = (b, x87) => {
  x87.begin([0], []);
  x87.noteOperand(b.address(0, 10, true));
  const { significand, exponent } = x87.get(0);
  // All of it is checked, from the lowest byte on, before some of it is written.
  b.cellAt(0, b.const(0), 32);
  b.cellAt(0, b.const(4), 32);
  const upper = b.cellAt(0, b.const(8), 16);
  b.write64(0, significand);
  upper.write(exponent);
  x87.pop(1);
};

// --- the stack ------------------------------------------------------------------------------

export const exchange: X87Meaning = (b, x87) => {
  const { number } = b.form;
  x87.begin([0, number], []);
  const [first, second] = [x87.get(0), x87.get(number)];
  x87.set(0, second);
  x87.set(number, first);
};

export function freeRegister(pops: number): X87Meaning {
  return (b, x87) => {
    x87.begin([], []);
    x87.free(b.form.number);
    x87.pop(pops);
  };
}

export function rotate(by: number): X87Meaning {
  return (_, x87) => {
    x87.begin([], []);
    x87.rotate(by);
  };
}

export const nothing: X87Meaning = (_, x87) => x87.begin([], [], true);
