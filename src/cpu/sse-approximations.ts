import { STATE } from '../memory/layout.js';
import type { CpuContext, Helper } from './context.js';

/**
 * RCPPS, RSQRTPS and their scalar forms: 1/x and 1/√x to about twelve bits, without exceptions (SDM vol. 2, RCPPS).
 * The manual bounds the error and leaves the value to the processor; here it is the true value, rounded to thirteen
 * significant bits.
 */

const SMALLEST_NORMAL = 2 ** -126;
const KEPT_BITS = ~0x7ff;

interface Approximation {
  of(x: number): number;
}
const RECIPROCAL: Approximation = { of: (x) => 1 / x };
const RECIPROCAL_ROOT: Approximation = { of: (x) => 1 / Math.sqrt(x) };
const APPROXIMATIONS = [RECIPROCAL, RECIPROCAL_ROOT];

const QUIET = 0x0040_0000;
const DEFAULT_NAN = 0xffc0_0000;

function approximate(cpu: CpuContext, at: number, approximation: Approximation): number {
  const { view } = cpu.memory;
  const bits = view.getUint32(at, true);
  const x = view.getFloat32(at, true);
  if (Number.isNaN(x)) return bits | QUIET;
  // Denormals are zeros, as argument and as result.
  const argument = Math.abs(x) < SMALLEST_NORMAL ? (bits >>> 31 ? -0 : 0) : x;
  // The root of -0 is -0, whose reciprocal is minus infinity.
  const value = approximation.of(argument);
  if (Number.isNaN(value)) return DEFAULT_NAN;
  const scratch = new DataView(new ArrayBuffer(4));
  scratch.setFloat32(0, Math.abs(value) < SMALLEST_NORMAL ? (value < 0 || Object.is(value, -0) ? -0 : 0) : value);
  const rounded = scratch.getUint32(0);
  return Number.isFinite(value) ? (rounded + 0x400) & KEPT_BITS : rounded;
}

/** (approximation × 4 + kind: 0 packed, 2 scalar; destination); the operand is at `STATE.vectorScratch`. */
function sseApproximate(cpu: CpuContext, code: number, destination: number): void {
  const count = (code & 3) === 0 ? 4 : 1;
  for (let i = 0; i < count; i++) {
    const bits = approximate(cpu, STATE.vectorScratch + 4 * i, APPROXIMATIONS[code >> 2]!);
    cpu.memory.view.setUint32(destination + 4 * i, bits, true);
  }
}

export const sseApproximationHelpers = { sseApproximate } as const satisfies Record<string, Helper>;
