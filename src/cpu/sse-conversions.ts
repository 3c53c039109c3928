import {
  convertFormat,
  convertFromInteger,
  convertToInteger,
  FLOAT32_FORMAT,
  FLOAT64_FORMAT,
  type SseEnvironment,
} from '../fpu/index.js';
import { STATE } from '../memory/layout.js';
import type { CpuContext, Helper } from './context.js';
import { beginSse, readElement, settleExceptions, writeElement } from './sse-arithmetic.js';

/**
 * Conversions of SSE. The operand is what the row left at `STATE.vectorScratch`; destinations are offsets in the state.
 */

const formatOf = (kind: number) => (kind & 1 ? FLOAT64_FORMAT : FLOAT32_FORMAT);

/** Converts `count` elements and only then writes them. */
function convertEach<T>(
  cpu: CpuContext,
  count: number,
  convert: (env: SseEnvironment, i: number) => T,
  write: (i: number, value: T) => void,
): void {
  const env = beginSse(cpu);
  const results = Array.from({ length: count }, (_, i) => convert(env, i));
  settleExceptions(cpu, env);
  results.forEach((value, i) => {
    write(i, value);
  });
}

function readInteger(cpu: CpuContext, i: number): number {
  return cpu.memory.view.getInt32(STATE.vectorScratch + 4 * i, true);
}

/** float32 → float64 (`to` odd) or back: (to, destination, count) */
function sseConvertFormat(cpu: CpuContext, to: number, destination: number, count: number): void {
  const [source, target] = [formatOf(to ^ 1), formatOf(to)];
  convertEach(
    cpu,
    count,
    (env, i) => convertFormat(env, source, target, readElement(cpu, STATE.vectorScratch, source, i)),
    (i, bits) => writeElement(cpu, destination, target, i, bits),
  );
}

/** Integers of 32 bits → floats: (to, destination, count) */
function sseConvertFromIntegers(cpu: CpuContext, to: number, destination: number, count: number): void {
  const target = formatOf(to);
  convertEach(
    cpu,
    count,
    (env, i) => convertFromInteger(env, target, readInteger(cpu, i)),
    (i, bits) => writeElement(cpu, destination, target, i, bits),
  );
}

/** Floats → integers of 32 bits: (truncate × 2 + from, destination, count) */
function sseConvertToIntegers(cpu: CpuContext, code: number, destination: number, count: number): void {
  const source = formatOf(code);
  convertEach(
    cpu,
    count,
    (env, i) => convertToInteger(env, source, readElement(cpu, STATE.vectorScratch, source, i), (code & 2) !== 0),
    (i, value) => cpu.memory.view.setInt32(destination + 4 * i, value, true),
  );
}

/** Two floats → two integers in an MMX register: (truncate × 2 + from, destination) */
function sseConvertToMmx(cpu: CpuContext, code: number, destination: number): void {
  sseConvertToIntegers(cpu, code, destination, 2);
  // Sign and exponent become ones, as with every write by MMX.
  cpu.memory.view.setUint16(destination + 8, 0xffff, true);
}

/** A float → an integer of 32 bits: (truncate × 2 + from) → integer */
function sseConvertToInteger(cpu: CpuContext, code: number): number {
  const env = beginSse(cpu);
  const source = formatOf(code);
  const value = convertToInteger(env, source, readElement(cpu, STATE.vectorScratch, source, 0), (code & 2) !== 0);
  settleExceptions(cpu, env);
  return value;
}

export const sseConversionHelpers = {
  sseConvertFormat,
  sseConvertFromIntegers,
  sseConvertToIntegers,
  sseConvertToInteger,
  sseConvertToMmx,
} as const satisfies Record<string, Helper>;
