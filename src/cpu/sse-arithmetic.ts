import {
  addBinary,
  type BinaryFormat,
  type BinaryOperation,
  type Comparison,
  compareBinary,
  divideBinary,
  FLOAT32_FORMAT,
  FLOAT64_FORMAT,
  maximumBinary,
  minimumBinary,
  multiplyBinary,
  SseEnvironment,
  squareRootBinary,
  subtractBinary,
} from '../fpu/index.js';
import { STATE } from '../memory/layout.js';
import type { CpuContext, Helper } from './context.js';
import { GuestFault, UD, XM } from './faults.js';
import { CR4, FLAG } from './state.js';

/**
 * SSE arithmetic with all its exceptions. The first operand is the destination, an XMM register given by its offset in
 * the state; the second is what the row left at `STATE.vectorScratch`.
 */

/** Elements of an operand, in the order of `SSE_KINDS` in `isa/sse-arithmetic.ts`: PS PD SS SD. */
const FORMATS: readonly BinaryFormat[] = [FLOAT32_FORMAT, FLOAT64_FORMAT, FLOAT32_FORMAT, FLOAT64_FORMAT];
const COUNTS: readonly number[] = [4, 2, 1, 1];

/** In the order of `SSE_OPERATIONS` there. */
const OPERATIONS: readonly BinaryOperation[] = [
  addBinary,
  multiplyBinary,
  subtractBinary,
  minimumBinary,
  divideBinary,
  maximumBinary,
  squareRootBinary,
];

export function readElement(cpu: CpuContext, offset: number, format: BinaryFormat, index: number): bigint {
  const { view } = cpu.memory;
  return format.bits === 32
    ? BigInt(view.getUint32(offset + 4 * index, true))
    : view.getBigUint64(offset + 8 * index, true);
}

export function writeElement(cpu: CpuContext, offset: number, format: BinaryFormat, index: number, bits: bigint): void {
  const { view } = cpu.memory;
  if (format.bits === 32) view.setUint32(offset + 4 * index, Number(bits), true);
  else view.setBigUint64(offset + 8 * index, bits, true);
}

/** Notes the flags in MXCSR and raises what is not masked (SDM vol. 1, 11.5.4). */
export function settleExceptions(cpu: CpuContext, env: SseEnvironment): void {
  const { state } = cpu;
  state.set(STATE.mxcsr, env.settled);
  if (env.unmasked) throw new GuestFault(state.get(STATE.cr4) & CR4.OSXMMEXCPT ? XM : UD);
}

export function beginSse(cpu: CpuContext): SseEnvironment {
  return new SseEnvironment(cpu.state.get(STATE.mxcsr));
}

/** (operation × 4 + kind, destination) */
function arithmetic(cpu: CpuContext, code: number, destination: number): void {
  const format = FORMATS[code & 3]!;
  const operation = OPERATIONS[code >> 2]!;
  const env = beginSse(cpu);
  const results = Array.from({ length: COUNTS[code & 3]! }, (_, i) =>
    operation(env, format, readElement(cpu, destination, format, i), readElement(cpu, STATE.vectorScratch, format, i)),
  );
  settleExceptions(cpu, env);
  results.forEach((bits, i) => {
    writeElement(cpu, destination, format, i, bits);
  });
}

/**
 * ADDSUBPx, HADDPx, HSUBPx of SSE3: (0, 1 or 2, × 4 + kind; destination). ADDSUB takes lanes of both operands, HADD and
 * HSUB neighbours, first those of the destination.
 */
function horizontal(cpu: CpuContext, code: number, destination: number): void {
  const format = FORMATS[code & 3]!;
  const count = COUNTS[code & 3]!;
  const env = beginSse(cpu);
  const first = Array.from({ length: count }, (_, i) => readElement(cpu, destination, format, i));
  const second = Array.from({ length: count }, (_, i) => readElement(cpu, STATE.vectorScratch, format, i));
  const all = [...first, ...second];
  const results = first.map((a, i) => {
    switch (code >> 2) {
      case 0:
        return (i & 1 ? addBinary : subtractBinary)(env, format, a, second[i]!);
      case 1:
        return addBinary(env, format, all[2 * i]!, all[2 * i + 1]!);
      default:
        return subtractBinary(env, format, all[2 * i]!, all[2 * i + 1]!);
    }
  });
  settleExceptions(cpu, env);
  results.forEach((bits, i) => {
    writeElement(cpu, destination, format, i, bits);
  });
}

/** EQ LT LE UNORD; the other four predicates are their opposites. LT and LE signal quiet NaNs. */
const PREDICATES: readonly ((result: Comparison) => boolean)[] = [
  (result) => result === 'equal',
  (result) => result === 'less',
  (result) => result === 'less' || result === 'equal',
  (result) => result === 'unordered',
];

/** CMPxx: (predicate × 4 + kind, destination); all ones where it holds. */
function compareToMask(cpu: CpuContext, code: number, destination: number): void {
  const format = FORMATS[code & 3]!;
  const predicate = (code >> 2) & 3;
  const opposite = (code & 16) !== 0;
  const env = beginSse(cpu);
  const ones = (1n << BigInt(format.bits)) - 1n;
  const results = Array.from({ length: COUNTS[code & 3]! }, (_, i) => {
    const a = readElement(cpu, destination, format, i);
    const b = readElement(cpu, STATE.vectorScratch, format, i);
    const holds = PREDICATES[predicate]!(compareBinary(env, format, a, b, predicate === 1 || predicate === 2));
    return holds !== opposite ? ones : 0n;
  });
  settleExceptions(cpu, env);
  results.forEach((bits, i) => {
    writeElement(cpu, destination, format, i, bits);
  });
}

const FLAGS_OF: Readonly<Record<Comparison, number>> = {
  greater: 0,
  less: FLAG.CF,
  equal: FLAG.ZF,
  unordered: FLAG.ZF | FLAG.PF | FLAG.CF,
};
const ARITHMETIC_FLAGS = 0x8d5;

/** COMISx (signaling) and UCOMISx: (signaling × 4 + kind, first operand); sets EFLAGS. */
function compareToFlags(cpu: CpuContext, code: number, first: number): void {
  const format = FORMATS[code & 3]!;
  const env = beginSse(cpu);
  const a = readElement(cpu, first, format, 0);
  const b = readElement(cpu, STATE.vectorScratch, format, 0);
  const result = compareBinary(env, format, a, b, (code & 4) !== 0);
  settleExceptions(cpu, env);
  cpu.state.eflags = (cpu.state.eflags & ~ARITHMETIC_FLAGS) | FLAGS_OF[result];
}

export const sseArithmeticHelpers = {
  sseArithmetic: arithmetic,
  sseHorizontal: horizontal,
  sseCompare: compareToMask,
  sseCompareFlags: compareToFlags,
} as const satisfies Record<string, Helper>;
