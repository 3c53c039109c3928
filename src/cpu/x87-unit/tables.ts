import {
  fixedArctan,
  fixedArtanh,
  fixedCosine,
  fixedDivide,
  fixedExpMinusOne,
  fixedLn2,
  fixedLog2E,
  fixedMultiply,
  fixedOne,
  fixedSine,
} from '../../fpu/index.js';
import { X87_TABLES } from '../../memory/layout.js';
import { doubleDouble } from './double-double.js';

/**
 * Tables of the transcendental functions, double-doubles in linear memory. Not every guest wants them, and they take
 * some time: they are made when the first such instruction is done by `src/fpu`.
 */

/** Steps of a unit in each table. */
export const EXPONENTIAL_STEPS = 32;
export const LOGARITHM_STEPS = 128;
export const ANGLE_STEPS = 32;
/** The logarithms are those of k/128 from here on. */
export const FIRST_LOGARITHM = 90;
const LAST_LOGARITHM = 182;

interface Table {
  readonly count: number;
  fixed(index: number): bigint;
}

function angleStep(k: number): bigint {
  return (fixedOne * BigInt(k)) / BigInt(ANGLE_STEPS);
}

const TABLES = {
  /** 2^(k/32) − 1 at index k + 32. */
  powers: {
    count: 2 * EXPONENTIAL_STEPS + 1,
    fixed: (index) => fixedExpMinusOne((fixedLn2 * BigInt(index - EXPONENTIAL_STEPS)) / BigInt(EXPONENTIAL_STEPS)),
  },
  /** −log2(k/128) at index k − 90. */
  logarithms: {
    count: LAST_LOGARITHM - FIRST_LOGARITHM + 1,
    fixed(index) {
      const k = BigInt(index + FIRST_LOGARITHM);
      const one = BigInt(LOGARITHM_STEPS);
      return -(fixedMultiply(fixedArtanh(fixedDivide(k - one, k + one)), fixedLog2E) << 1n);
    },
  },
  /** sin(k/32), cos(k/32) up to π/4. */
  sines: { count: 27, fixed: (k) => fixedSine(angleStep(k)) },
  cosines: { count: 27, fixed: (k) => fixedCosine(angleStep(k)) },
  /** arctan(k/32) */
  angles: { count: ANGLE_STEPS + 1, fixed: (k) => fixedArctan(angleStep(k)) },
} as const satisfies Record<string, Table>;

type TableName = keyof typeof TABLES;
const NAMES = Object.keys(TABLES) as TableName[];
const ENTRY_BYTES = 16;

/** Where a table begins. */
export function tableOffset(name: TableName): number {
  let offset: number = X87_TABLES.first;
  for (const other of NAMES.slice(0, NAMES.indexOf(name))) offset += ENTRY_BYTES * TABLES[other].count;
  return offset;
}

/** Writes all tables, unless they are there. */
export function makeTables(view: DataView): void {
  if (view.getUint32(X87_TABLES.ready, true) !== 0) return;
  for (const name of NAMES) {
    const { count, fixed } = TABLES[name];
    for (let index = 0; index < count; index++) {
      const offset = tableOffset(name) + ENTRY_BYTES * index;
      const [high, low] = doubleDouble(fixed(index));
      view.setFloat64(offset, high, true);
      view.setFloat64(offset + 8, low, true);
    }
  }
  view.setUint32(X87_TABLES.ready, 1, true);
}
