import {
  type Float80,
  fromInteger,
  fromNumber,
  loadFloat32,
  loadFloat64,
  operandFromFloat32,
  operandFromFloat64,
} from '../fpu/index.js';
import { DS, STATE } from '../memory/layout.js';
import type { CpuContext } from './context.js';
import type { FpuUnit } from './fpu-state.js';

/** Memory operands of x87 instructions. Linear addresses are checked against their segment already. */

/** Formats in the order of the opcodes D8/D9, DA/DB, DC/DD, DE/DF. */
export const FLOAT32 = 0;
export const INT32 = 1;
export const FLOAT64 = 2;
export const INT16 = 3;
/** Only loaded and stored. */
export const INT64 = 4;

/** Notes the address of the operand for FNSTENV. Call it when nothing can fault any more. */
export function noteOperand(cpu: CpuContext, linear: number): void {
  cpu.state.set(STATE.fpuDp, linear);
  cpu.state.set(STATE.fpuDs, cpu.state.selector(DS));
}

export function readBits64(cpu: CpuContext, linear: number): bigint {
  const low = cpu.access.read32(linear >>> 0);
  return (BigInt(cpu.access.read32((linear + 4) >>> 0)) << 32n) | BigInt(low);
}
/** Only behind a successful `probeWrite`. */
export function writeBits64(cpu: CpuContext, linear: number, bits: bigint): void {
  cpu.access.write32(linear >>> 0, Number(bits & 0xffff_ffffn));
  cpu.access.write32((linear + 4) >>> 0, Number((bits >> 32n) & 0xffff_ffffn));
}

/**
 * Reads an operand now, so that page faults come first, and returns the conversion for later: it may raise
 * exceptions, which an empty register forestalls. `load`: for FLD, where a signaling NaN is an exception itself.
 */
export function readOperand(unit: FpuUnit, linear: number, format: number, load = false): () => Float80 {
  const { cpu, env } = unit;
  linear >>>= 0;
  switch (format) {
    case FLOAT32: {
      const bits = cpu.access.read32(linear);
      noteOperand(cpu, linear);
      return () => (load ? loadFloat32(env, bits) : operandFromFloat32(env, bits));
    }
    case FLOAT64: {
      const bits = readBits64(cpu, linear);
      noteOperand(cpu, linear);
      return () => (load ? loadFloat64(env, bits) : operandFromFloat64(env, bits));
    }
    case INT64: {
      const bits = readBits64(cpu, linear);
      noteOperand(cpu, linear);
      return () => fromInteger(BigInt.asIntN(64, bits));
    }
    default: {
      const value = format === INT32 ? cpu.access.read32(linear) | 0 : (cpu.access.read16(linear) << 16) >> 16;
      noteOperand(cpu, linear);
      return () => fromNumber(value);
    }
  }
}
