import { FX_IMAGE, STATE } from '../memory/layout.js';
import type { CpuContext, Helper } from './context.js';
import { GP, GuestFault } from './faults.js';
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
/** What is written, and with the registers before it also all that is read. */
const WRITTEN_BYTES = 288;

/** Index of its first word. */
const IMAGE = FX_IMAGE >> 2;

function checkAlignment(linear: number): void {
  if (linear & 15) throw new GuestFault(GP, 0);
}

/** The image in `FX_IMAGE` goes to `linear`, which may be written. */
function storeImage({ access, memory, state }: CpuContext, linear: number): void {
  const { u8, u32 } = memory;
  for (let done = 0; done < WRITTEN_BYTES; ) {
    const bytes = Math.min(WRITTEN_BYTES - done, 0x1000 - ((linear + done) & 0xfff));
    const at = state.cpl === 3 ? -1 : access.hostAddress((linear + done) >>> 0, bytes, true);
    if (at >= 0) u8.copyWithin(at, FX_IMAGE + done, FX_IMAGE + done + bytes);
    else
      for (let word = done; word < done + bytes; word += 4)
        access.write32((linear + word) >>> 0, u32[(FX_IMAGE + word) >> 2]!);
    done += bytes;
  }
}

/** The other way. */
function loadImage({ access, memory, state }: CpuContext, linear: number): void {
  const { u8, u32 } = memory;
  for (let done = 0; done < WRITTEN_BYTES; ) {
    const bytes = Math.min(WRITTEN_BYTES - done, 0x1000 - ((linear + done) & 0xfff));
    const at = state.cpl === 3 ? -1 : access.hostAddress((linear + done) >>> 0, bytes, false);
    if (at >= 0) u8.copyWithin(FX_IMAGE + done, at, at + bytes);
    else
      for (let word = done; word < done + bytes; word += 4)
        u32[(FX_IMAGE + word) >> 2] = access.read32((linear + word) >>> 0);
    done += bytes;
  }
}

function save(unit: FpuUnit, linear: number): void {
  const { access, state, memory } = unit.cpu;
  checkAlignment(linear);
  access.probeWrite(linear >>> 0, IMAGE_BYTES);
  const { u32 } = memory;
  let present = 0;
  for (let register = 0; register < 8; register++) if (!unit.isPhysicalEmpty(register)) present |= 1 << register;
  u32[IMAGE] = (unit.statusWord << 16) | unit.env.control;
  u32[IMAGE + 1] = (state.get(STATE.fpuOpcode) << 16) | present;
  u32[IMAGE + 2] = state.get(STATE.fpuIp);
  u32[IMAGE + 3] = state.get(STATE.fpuCs);
  u32[IMAGE + 4] = state.get(STATE.fpuDp);
  u32[IMAGE + 5] = state.get(STATE.fpuDs);
  u32[IMAGE + 6] = state.get(STATE.mxcsr);
  u32[IMAGE + 7] = MXCSR_MASK;
  for (let index = 0; index < 8; index++) {
    const from = registerOffset(unit.top + index) >> 2;
    const to = IMAGE + ((REGISTERS + 16 * index) >> 2);
    u32[to] = u32[from]!;
    u32[to + 1] = u32[from + 1]!;
    u32[to + 2] = u32[from + 2]! & 0xffff;
    u32[to + 3] = 0;
  }
  memory.u8.copyWithin(FX_IMAGE + XMM, STATE.xmm, STATE.xmm + WRITTEN_BYTES - XMM);
  storeImage(unit.cpu, linear);
}

function restore(unit: FpuUnit, linear: number): void {
  const { access, state, memory } = unit.cpu;
  checkAlignment(linear);
  access.probeRead(linear >>> 0, IMAGE_BYTES);
  loadImage(unit.cpu, linear);
  const { u32 } = memory;
  const mxcsr = u32[IMAGE + 6]!;
  if (mxcsr & ~MXCSR_MASK) throw new GuestFault(GP, 0);
  unit.env.control = (u32[IMAGE]! & 0x1f3f) | 0x40;
  unit.statusWord = u32[IMAGE]! >>> 16;
  const present = u32[IMAGE + 1]!;
  unit.tags = 0;
  for (let register = 0; register < 8; register++) {
    if ((present & (1 << register)) === 0) unit.tags |= 3 << (2 * register);
  }
  state.set(STATE.fpuOpcode, (present >>> 16) & 0x7ff);
  state.set(STATE.fpuIp, u32[IMAGE + 2]!);
  state.set(STATE.fpuCs, u32[IMAGE + 3]! & 0xffff);
  state.set(STATE.fpuDp, u32[IMAGE + 4]!);
  state.set(STATE.fpuDs, u32[IMAGE + 5]! & 0xffff);
  state.set(STATE.mxcsr, mxcsr);
  for (let index = 0; index < 8; index++) {
    const from = IMAGE + ((REGISTERS + 16 * index) >> 2);
    const to = registerOffset(unit.top + index) >> 2;
    u32[to] = u32[from]!;
    u32[to + 1] = u32[from + 1]!;
    memory.u16[to * 2 + 4] = u32[from + 2]! & 0xffff;
  }
  memory.u8.copyWithin(STATE.xmm, FX_IMAGE + XMM, FX_IMAGE + WRITTEN_BYTES);
}

export const fxsaveHelpers = {
  /** (linear address) */
  fxsave: fpuControlHelper(save),
  fxrstor: fpuControlHelper(restore),
} as const satisfies Record<string, Helper>;
