import { signAndExponent, unpackFloat80, writeFloat80 } from '../fpu/index.js';
import { STATE } from '../memory/layout.js';
import type { Helper } from './context.js';
import { GP, GuestFault } from './faults.js';
import { readBits64, writeBits64 } from './fpu-operands.js';
import { type FpuUnit, fpuControlHelper, registerOffset } from './fpu-state.js';
import { MXCSR_MASK } from './sse-control.js';

/**
 * FXSAVE and FXRSTOR: the 512-byte image (SDM vol. 2, table 3-43).
 *
 * | offset | bytes | what |
 * |---|---|---|
 * | 0, 2 | 2 | control, status |
 * | 4 | 1 | a bit per physical register: 1 = not empty |
 * | 6 | 2 | opcode |
 * | 8, 12 | 4, 2 | instruction pointer, CS |
 * | 16, 20 | 4, 2 | operand pointer, DS |
 * | 24, 28 | 4 | MXCSR, and which of its bits exist |
 * | 32 | 8 × 16 | ST(0)…ST(7), ten bytes each |
 * | 160 | 8 × 16 | XMM0…XMM7 |
 * | 288 | | not touched |
 */
const IMAGE_BYTES = 512;
const REGISTERS = 32;
const XMM = 160;
const WRITTEN_BYTES = 288;

function checkAlignment(linear: number): void {
  if (linear & 15) throw new GuestFault(GP, 0);
}

function save(unit: FpuUnit, linear: number): void {
  const { access, state } = unit.cpu;
  checkAlignment(linear);
  access.probeWrite(linear >>> 0, IMAGE_BYTES);
  const write32 = (at: number, value: number): void => access.write32((linear + at) >>> 0, value);
  let present = 0;
  for (let register = 0; register < 8; register++) if (!unit.isPhysicalEmpty(register)) present |= 1 << register;
  write32(0, (unit.statusWord << 16) | unit.env.control);
  write32(4, (state.get(STATE.fpuOpcode) << 16) | present);
  write32(8, state.get(STATE.fpuIp));
  write32(12, state.get(STATE.fpuCs));
  write32(16, state.get(STATE.fpuDp));
  write32(20, state.get(STATE.fpuDs));
  write32(24, state.get(STATE.mxcsr));
  write32(28, MXCSR_MASK);
  for (let index = 0; index < 8; index++) {
    const value = unit.get(index);
    const at = REGISTERS + 16 * index;
    writeBits64(unit.cpu, linear + at, value.significand);
    write32(at + 8, signAndExponent(value));
    write32(at + 12, 0);
  }
  for (let at = XMM; at < WRITTEN_BYTES; at += 4) write32(at, state.get(STATE.xmm + at - XMM));
}

function restore(unit: FpuUnit, linear: number): void {
  const { access, state } = unit.cpu;
  checkAlignment(linear);
  access.probeRead(linear >>> 0, IMAGE_BYTES);
  const read32 = (at: number): number => access.read32((linear + at) >>> 0);
  const mxcsr = read32(24);
  if (mxcsr & ~MXCSR_MASK) throw new GuestFault(GP, 0);
  const head = read32(0);
  unit.env.control = (head & 0x1f3f) | 0x40;
  unit.statusWord = head >>> 16;
  const present = read32(4);
  unit.tags = 0;
  for (let register = 0; register < 8; register++) {
    if ((present & (1 << register)) === 0) unit.tags |= 3 << (2 * register);
  }
  state.set(STATE.fpuOpcode, (present >>> 16) & 0x7ff);
  state.set(STATE.fpuIp, read32(8));
  state.set(STATE.fpuCs, read32(12) & 0xffff);
  state.set(STATE.fpuDp, read32(16));
  state.set(STATE.fpuDs, read32(20) & 0xffff);
  state.set(STATE.mxcsr, mxcsr);
  for (let index = 0; index < 8; index++) {
    const at = REGISTERS + 16 * index;
    const value = unpackFloat80(readBits64(unit.cpu, linear + at), read32(at + 8) & 0xffff);
    writeFloat80(unit.cpu.memory.view, registerOffset(unit.top + index), value);
  }
  for (let at = XMM; at < WRITTEN_BYTES; at += 4) state.set(STATE.xmm + at - XMM, read32(at));
}

export const fxsaveHelpers = {
  /** (linear address) */
  fxsave: fpuControlHelper(save),
  fxrstor: fpuControlHelper(restore),
} as const satisfies Record<string, Helper>;
