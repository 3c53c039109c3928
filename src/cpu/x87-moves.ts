import {
  constant,
  type ConstantName,
  defaultNaN,
  type Float80,
  fromPackedDecimal,
  type IntegerWidth,
  signAndExponent,
  toFloat32,
  toFloat64,
  type Rounding,
  roundTowardZero,
  toInteger,
  toPackedDecimal,
  unpackFloat80,
} from '../fpu/index.js';
import type { Helper } from './context.js';
import { FLOAT32, FLOAT64, INT16, INT32, noteOperand, readBits64, readOperand, writeBits64 } from './fpu-operands.js';
import { type FpuUnit, fpuHelper } from './fpu-state.js';

/** x87 instructions that load and store (SDM vol. 2 FLD, FST, FILD, FIST, FBLD, FBSTP, FLD1 …). */

/** Pushes a value, or the indefinite if there is no room. */
function load(unit: FpuUnit, value: () => Float80): void {
  if (!unit.isEmpty(7)) {
    if (unit.stackFault(true)) unit.push(defaultNaN);
    return;
  }
  const result = value();
  if (!unit.env.suppressed) unit.push(result);
}

function loadMemory(unit: FpuUnit, linear: number, format: number): void {
  load(unit, readOperand(unit, linear, format, true));
}

/** Ten bytes: FLD m80fp and FBLD. */
function readTenBytes(unit: FpuUnit, linear: number): readonly [bigint, number] {
  const low = readBits64(unit.cpu, linear);
  const high = unit.cpu.access.read16((linear + 8) >>> 0);
  noteOperand(unit.cpu, linear);
  return [low, high];
}
function writeTenBytes(unit: FpuUnit, linear: number, low: bigint, high: number): void {
  writeBits64(unit.cpu, linear, low);
  unit.cpu.access.write16((linear + 8) >>> 0, high);
}

function loadRegister(unit: FpuUnit, index: number): void {
  if (unit.isEmpty(index)) {
    if (unit.stackFault(false)) unit.push(defaultNaN);
    return;
  }
  load(unit, () => unit.get(index));
}

/** ST(0) to be stored, after its stack fault: undefined if that is unmasked. */
function stored(unit: FpuUnit): Float80 | undefined {
  if (!unit.isEmpty(0)) return unit.get(0);
  return unit.stackFault(false) ? defaultNaN : undefined;
}

/** FST, FSTP to a register. */
function storeRegister(unit: FpuUnit, index: number, pops: number): void {
  const value = stored(unit);
  if (value === undefined) return;
  unit.set(index, value);
  unit.pop(pops);
}

/** D9 D8+i, undocumented: as FSTP, but an empty ST(0) is popped without a fault and without a store. */
function storeRegisterQuietly(unit: FpuUnit, index: number): void {
  if (!unit.isEmpty(0)) unit.set(index, unit.get(0));
  unit.pop();
}

/**
 * Stores to memory. The operand must be writable even if an unmasked exception then keeps the instruction from
 * writing it. `write` gets ST(0), computes and writes unless suppressed.
 */
function storeTo(unit: FpuUnit, linear: number, bytes: number, pops: number, write: (value: Float80) => void): void {
  unit.cpu.access.probeWrite(linear >>> 0, bytes);
  noteOperand(unit.cpu, linear);
  const value = stored(unit);
  if (value === undefined) return;
  // The indefinite of an empty register is stored as such, without a second exception.
  write(value);
  if (!unit.env.suppressed) unit.pop(pops);
}

/** (linear address, format, registers to pop): FST, FSTP, FIST, FISTP. */
function storeMemory(unit: FpuUnit, linear: number, format: number, pops: number): void {
  const { env, cpu } = unit;
  if (format === FLOAT32) {
    storeTo(unit, linear, 4, pops, (value) => {
      const bits = toFloat32(env, value);
      if (!env.suppressed) cpu.access.write32(linear >>> 0, bits);
    });
  } else if (format === FLOAT64) {
    storeTo(unit, linear, 8, pops, (value) => {
      const bits = toFloat64(env, value);
      if (!env.suppressed) writeBits64(cpu, linear, bits);
    });
  } else storeInteger(unit, linear, format, pops);
}

/** `rounding`: not that of the control word (FISTTP). */
function storeInteger(unit: FpuUnit, linear: number, format: number, pops: number, rounding?: Rounding): void {
  const { env, cpu } = unit;
  const width: IntegerWidth = format === INT16 ? 16 : format === INT32 ? 32 : 64;
  storeTo(unit, linear, width / 8, pops, (value) => {
    const integer = toInteger(env, value, width, rounding);
    if (env.suppressed) return;
    if (width === 64) writeBits64(cpu, linear, BigInt.asUintN(64, integer));
    else if (width === 32) cpu.access.write32(linear >>> 0, Number(integer));
    else cpu.access.write16(linear >>> 0, Number(integer) & 0xffff);
  });
}

function storeExtended(unit: FpuUnit, linear: number): void {
  storeTo(unit, linear, 10, 1, (value) => writeTenBytes(unit, linear, value.significand, signAndExponent(value)));
}

function storeDecimal(unit: FpuUnit, linear: number): void {
  storeTo(unit, linear, 10, 1, (value) => {
    const { low, high } = toPackedDecimal(unit.env, value);
    if (!unit.env.suppressed) writeTenBytes(unit, linear, low, high);
  });
}

/** By the low bits of D9 E8…EE. */
const CONSTANTS: readonly ConstantName[] = ['one', 'log2Of10', 'log2OfE', 'pi', 'log10Of2', 'lnOf2', 'zero'];

export const x87MoveHelpers = {
  /** (linear address, format) */
  fldMemory: fpuHelper(loadMemory),
  /** (linear address) */
  fldExtended: fpuHelper((unit, linear) => {
    const [low, high] = readTenBytes(unit, linear);
    load(unit, () => unpackFloat80(low, high));
  }),
  fbld: fpuHelper((unit, linear) => {
    const [low, high] = readTenBytes(unit, linear);
    load(unit, () => fromPackedDecimal(low, high));
  }),
  /** (ST(i)) */
  fld: fpuHelper(loadRegister),
  /** (0…6: 1, log2 10, log2 e, π, log10 2, ln 2, 0) */
  fldConstant: fpuHelper((unit, which) => load(unit, () => constant(CONSTANTS[which]!, unit.env.rounding))),
  /** (ST(i), registers to pop) */
  fst: fpuHelper(storeRegister),
  /** (ST(i)) */
  fstpQuietly: fpuHelper(storeRegisterQuietly),
  /** (linear address, format, registers to pop) */
  fstMemory: fpuHelper(storeMemory),
  /** (linear address, format); pops */
  fisttp: fpuHelper((unit, linear, format) => storeInteger(unit, linear, format, 1, roundTowardZero)),
  /** (linear address); pops */
  fstExtended: fpuHelper(storeExtended),
  fbstp: fpuHelper(storeDecimal),
} as const satisfies Record<string, Helper>;
