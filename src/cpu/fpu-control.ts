import { signAndExponent, unpackFloat80, writeFloat80 } from '../fpu/index.js';
import { STATE } from '../memory/layout.js';
import type { Helper } from './context.js';
import { readBits64, writeBits64 } from './fpu-operands.js';
import { type FpuUnit, fpuControlHelper, registerOffset } from './fpu-state.js';
import { inProtectedMode } from './segmentation.js';

/** Control of the x87 unit, and its state in memory as FNSTENV and FNSAVE write it (SDM vol. 1, 8.1.10). */

const ALL_EXCEPTIONS = 0x3f;
/** Bits of the control word that can be written; bit 6 always reads as one. */
const CONTROL_WRITABLE = 0x1f3f;
const CONTROL_ONES = 0x40;

function setControl(unit: FpuUnit, word: number): void {
  unit.env.control = (word & CONTROL_WRITABLE) | CONTROL_ONES;
}

/** Bytes of the environment. */
function environmentBytes(operandSize: number): number {
  return operandSize === 32 ? 28 : 14;
}

/** Seven words of 16 or 32 bits: control, status, tags, then four of pointers. */
function environmentWords(unit: FpuUnit, operandSize: number): number[] {
  const { state } = unit.cpu;
  const ip = state.get(STATE.fpuIp);
  const dp = state.get(STATE.fpuDp);
  const opcode = state.get(STATE.fpuOpcode);
  const head = [unit.env.control, unit.statusWord, unit.tagWord];
  const wide = operandSize === 32;
  if (inProtectedMode(unit.cpu)) {
    const cs = state.get(STATE.fpuCs);
    const ds = state.get(STATE.fpuDs);
    return [...head, ip, wide ? cs | (opcode << 16) : cs, dp, ds];
  }
  // Real and virtual-8086 mode: linear addresses instead of selectors.
  const high = (address: number): number => (wide ? (address >>> 16) << 12 : (address >>> 4) & 0xf000);
  return [...head, ip & 0xffff, high(ip) | opcode, dp & 0xffff, high(dp)];
}

/** The upper halves of these words of a 32-bit environment are stored as ones. */
const ONES_ABOVE: readonly boolean[] = [true, true, true, false, false, false, true];

function writeEnvironment(unit: FpuUnit, linear: number, operandSize: number): void {
  const { access } = unit.cpu;
  const protectedMode = inProtectedMode(unit.cpu);
  environmentWords(unit, operandSize).forEach((word, n) => {
    if (operandSize === 16) access.write16((linear + 2 * n) >>> 0, word & 0xffff);
    else access.write32((linear + 4 * n) >>> 0, ONES_ABOVE[n] && (protectedMode || n < 3) ? word | 0xffff_0000 : word);
  });
}

function readEnvironment(unit: FpuUnit, linear: number, operandSize: number): void {
  const { state, access } = unit.cpu;
  const bytes = operandSize / 8;
  const words: number[] = [];
  for (let n = 0; n < 7; n++) {
    const at = (linear + n * bytes) >>> 0;
    words.push(bytes === 4 ? access.read32(at) : access.read16(at));
  }
  setControl(unit, words[0]!);
  unit.statusWord = words[1]!;
  unit.tagWord = words[2]! & 0xffff;
  const wide = operandSize === 32;
  if (inProtectedMode(unit.cpu)) {
    state.set(STATE.fpuIp, words[3]!);
    state.set(STATE.fpuCs, words[4]! & 0xffff);
    state.set(STATE.fpuDs, words[6]! & 0xffff);
    state.set(STATE.fpuOpcode, (words[4]! >>> 16) & 0x7ff);
    state.set(STATE.fpuDp, words[5]!);
    return;
  }
  const high = (word: number): number => (wide ? ((word >>> 12) & 0xffff) << 16 : (word & 0xf000) << 4);
  state.set(STATE.fpuIp, (words[3]! & 0xffff) | high(words[4]!));
  state.set(STATE.fpuOpcode, words[4]! & 0x7ff);
  state.set(STATE.fpuDp, (words[5]! & 0xffff) | high(words[6]!));
}

/** FNSTENV masks all exceptions behind it. */
function storeEnvironment(unit: FpuUnit, linear: number, operandSize: number): void {
  unit.cpu.access.probeWrite(linear >>> 0, environmentBytes(operandSize));
  writeEnvironment(unit, linear, operandSize);
  unit.env.control |= ALL_EXCEPTIONS;
}

function loadEnvironment(unit: FpuUnit, linear: number, operandSize: number): void {
  unit.cpu.access.probeRead(linear >>> 0, environmentBytes(operandSize));
  readEnvironment(unit, linear, operandSize);
}

/** FNSAVE: environment, ST(0)…ST(7) in ten bytes each, then FNINIT. */
function saveState(unit: FpuUnit, linear: number, operandSize: number): void {
  const { cpu } = unit;
  const head = environmentBytes(operandSize);
  cpu.access.probeWrite(linear >>> 0, head + 80);
  writeEnvironment(unit, linear, operandSize);
  for (let index = 0; index < 8; index++) {
    const value = unit.get(index);
    const at = linear + head + 10 * index;
    writeBits64(cpu, at, value.significand);
    cpu.access.write16((at + 8) >>> 0, signAndExponent(value));
  }
  unit.initialize();
}

function restoreState(unit: FpuUnit, linear: number, operandSize: number): void {
  const { cpu } = unit;
  const head = environmentBytes(operandSize);
  cpu.access.probeRead(linear >>> 0, head + 80);
  readEnvironment(unit, linear, operandSize);
  for (let index = 0; index < 8; index++) {
    const at = linear + head + 10 * index;
    const value = unpackFloat80(readBits64(cpu, at), cpu.access.read16((at + 8) >>> 0));
    writeFloat80(cpu.memory.view, registerOffset(unit.top + index), value);
  }
}

export const fpuControlHelpers = {
  fninit: fpuControlHelper((unit) => unit.initialize()),
  /** Exception flags, stack fault and ES; condition codes stay */
  fnclex: fpuControlHelper((unit) => {
    unit.env.status &= 0x4700;
  }),
  /** (control word) */
  fldcw: fpuControlHelper((unit, word) => setControl(unit, word)),
  /** → control word */
  fnstcw: (cpu) => cpu.state.get(STATE.fpuControl),
  /** (linear address, operand size) */
  fnstenv: fpuControlHelper(storeEnvironment),
  fldenv: fpuControlHelper(loadEnvironment),
  fnsave: fpuControlHelper(saveState),
  frstor: fpuControlHelper(restoreState),
  /** EMMS: all registers empty */
  emms: fpuControlHelper((unit) => {
    unit.tags = 0xffff;
  }),
} as const satisfies Record<string, Helper>;
