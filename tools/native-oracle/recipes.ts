/** What single instructions need to be worth testing: a divisor that fits, a count that ends, a target in code. */

import { DS, type Draft, EAX, EBP, EBX, ECX, EDI, EDX, ES, ESI, ESP, SS } from './draft.js';
import { DATA_HIGH, DATA_LOW } from './layout.js';
import { SEGMENT_RECIPES } from './segment-recipes.js';
import { operand16, operandBits, stack16 } from './shapes.js';
import { littleEndian, oneIn, pickValue, pickWide } from './values.js';

export type Recipe = (draft: Draft) => void;

/** Words of `bytes` at the top of the stack, so that they can be anything worth popping. */
function patchStack(draft: Draft, value: number): void {
  draft.patch(draft.stackLinear, littleEndian(value, draft.operandBytes));
}

function returns(draft: Draft): void {
  if (draft.hasCodeLimit) draft.placeSafeStack();
  else draft.placeStack();
  patchStack(draft, draft.pickTarget());
  draft.immediates = [oneIn(draft.dice, 2) ? draft.dice.below(64) * 4 : pickValue(draft.dice)];
}

/** Jump or call to an address in a register or in memory. */
function indirect(draft: Draft): void {
  if (draft.shape.encoding.operands[0]!.kind === 'relative') return;
  const target = draft.pickTarget();
  // The target must be where it is looked for, or it is anything, behind the limit of CS too.
  draft.onlyInside = draft.hasCodeLimit;
  draft.memoryValue = littleEndian(target, draft.operandBytes);
  if (draft.rm === ESP) draft.rm = EBP;
  if (!draft.shape.memory) draft.pinPointer(draft.rm, target, operand16(draft.shape) ? 0xffff : 0xffff_ffff);
}

function counted(draft: Draft): void {
  const { dice } = draft;
  if (oneIn(dice, 2)) return;
  const value = oneIn(dice, 2) ? dice.below(3) : 0x1_0000 + dice.below(3);
  draft.pin(ECX, value);
}

/** As `place`, where nothing can fault but by counting. */
function safe(draft: Draft, segment: number, mask: number): number {
  const base = draft.segment(segment).base;
  const start = base === 0x3000 || (mask === 0xffff && base === 0) ? DATA_LOW : DATA_HIGH;
  return (start + 0x400 + draft.dice.below(0x800) - base) & mask;
}

function string(draft: Draft): void {
  const { dice, shape } = draft;
  const mask = draft.addressMask;
  const { name } = shape.encoding.row;
  const bytes = shape.encoding.opcode & 1 ? draft.operandBytes : 1;
  const source = draft.override >= 0 ? draft.override : DS;
  let from = draft.place(source, bytes, mask, 0);
  // Which of two faults CMPS reports depends on the processor model: one place is safe.
  let to = name === 'cmps' ? safe(draft, ES, mask) : draft.place(ES, bytes, mask, 0);
  const sameBase = draft.segment(source).base === draft.segment(ES).base;
  if (sameBase && oneIn(dice, 4)) {
    const distance = dice.below(17) - 8;
    if (name === 'cmps') from = (to + distance) & mask;
    else to = (from + distance) & mask;
  }
  if (name === 'cmps' || name === 'scas') {
    // Runs of equal elements, so that REPE has something to do.
    const fill = new Uint8Array(16).fill(dice.below(256));
    if (oneIn(dice, 3)) fill[dice.below(16)] = dice.below(256);
    const back = oneIn(dice, 2) ? 0 : 12;
    draft.patch(draft.linear(ES, to >>> 0) - back, fill);
    if (name === 'cmps') draft.patch(draft.linear(source, from >>> 0) - back, fill);
    else if (!oneIn(dice, 4)) draft.registers[EAX] = (fill[0]! * 0x0101_0101) >>> 0;
  }
  if (oneIn(dice, 100)) from = dice.below(4);
  draft.pinPointer(ESI, from, mask);
  draft.pinPointer(EDI, to, mask);
  if (shape.repeat === 0) return;
  const count = oneIn(dice, 64) ? dice.below(0x1400) : oneIn(dice, 8) ? dice.below(200) : dice.below(12);
  draft.pinPointer(ECX, count, mask);
}

/** Dividends whose quotient fits, most of the time. */
function division(draft: Draft): void {
  const { dice, registers } = draft;
  const bits = operandBits(draft.shape, 0);
  const small = (): number => (oneIn(dice, 2) ? 0 : oneIn(dice, 2) ? 0xffff_ffff : dice.word() >>> dice.below(32));
  if (oneIn(dice, 4)) return;
  if (bits === 8) draft.pin(EAX, ((registers[EAX]! & ~0xff00) | ((small() & 0xff) << 8)) >>> 0);
  else draft.pin(EDX, bits === 16 ? ((registers[EDX]! & ~0xffff) | (small() & 0xffff)) >>> 0 : small());
}

/** A register as bit index reaches far from the operand. */
function bitString(draft: Draft): void {
  const { dice, shape } = draft;
  if (!shape.memory || shape.encoding.operands[1]!.kind !== 'reg') return;
  const bits = operandBits(shape, 1);
  const index = oneIn(dice, 16) ? dice.word() | 0 : dice.below(4000) - 2000;
  draft.pinPointer(draft.reg, index, bits === 16 ? 0xffff : 0xffff_ffff);
  const signed = bits === 16 ? (index << 16) >> 16 : index;
  draft.displaced = bits === 16 ? (signed >> 4) * 2 : (signed >> 5) * 4;
}

function compareExchange(draft: Draft): void {
  const { dice, registers, shape } = draft;
  if (!shape.memory || oneIn(dice, 2)) return;
  draft.pinned.add(EAX);
  draft.memoryValue = littleEndian(registers[EAX]!, operandBits(shape, 0) / 8);
}

function compareExchange8(draft: Draft): void {
  const { dice, registers } = draft;
  if (oneIn(dice, 2)) return;
  draft.pinned.add(EAX);
  draft.pinned.add(EDX);
  draft.memoryValue = Uint8Array.from([...littleEndian(registers[EAX]!, 4), ...littleEndian(registers[EDX]!, 4)]);
}

function translate(draft: Draft): void {
  const mask = draft.addressMask;
  const place = draft.place(draft.override >= 0 ? draft.override : DS, 1, mask);
  draft.pinPointer(EBX, place - (draft.registers[EAX]! & 0xff), mask);
}

/** Counts above 16 of a 16-bit SHLD are undefined, result and all. */
function doubleShift(draft: Draft): void {
  const { dice, shape } = draft;
  if (operandBits(shape, 0) !== 16) return;
  const count = dice.below(17) + 32 * dice.below(4);
  draft.immediates = [count];
  if (shape.encoding.operands[2]!.kind === 'fixed') draft.pin(ECX, ((draft.registers[ECX]! & ~0xff) | count) >>> 0);
}

function popToMemory(draft: Draft): void {
  draft.placeStack();
}

function enter(draft: Draft): void {
  const { dice, shape } = draft;
  draft.placeStack(300);
  const mask = stack16(shape) ? 0xffff : 0xffff_ffff;
  draft.pinPointer(EBP, draft.place(SS, 4, mask, 160), mask);
  draft.immediates = [
    oneIn(dice, 8) ? pickValue(dice) : dice.below(128),
    oneIn(dice, 2) ? 0 : oneIn(dice, 4) ? dice.below(256) : dice.below(5),
  ];
}

function leave(draft: Draft): void {
  const mask = stack16(draft.shape) ? 0xffff : 0xffff_ffff;
  const frame = draft.place(SS, 4, mask);
  draft.pinPointer(EBP, frame, mask);
  draft.patch(draft.linear(SS, frame), littleEndian(pickValue(draft.dice), 4));
}

/** Bounds around the index. */
function bound(draft: Draft): void {
  const { dice } = draft;
  const bytes = draft.operandBytes;
  draft.memoryBytes = 2 * bytes;
  const index = draft.registers[draft.reg]!;
  draft.pinned.add(draft.reg);
  const near = (): number => (oneIn(dice, 4) ? pickValue(dice) : index + dice.below(5) - 2);
  draft.memoryValue = Uint8Array.from([...littleEndian(near(), bytes), ...littleEndian(near(), bytes)]);
}

/** Trap flag, NT and alignment checks would outlive the test. */
function popFlags(draft: Draft): void {
  draft.placeSafeStack();
  patchStack(draft, pickValue(draft.dice) & ~0x0004_4100);
}

function popEffectiveAddress(draft: Draft): void {
  popToMemory(draft);
  patchStack(draft, pickValue(draft.dice));
}

const STACK_ONLY: Recipe = (draft) => draft.placeStack();

export const RECIPES: Readonly<Record<string, Recipe>> = {
  ...SEGMENT_RECIPES,
  push: STACK_ONLY,
  // How much a PUSHA or POPA that faults has done depends on the processor model.
  popa: (draft) => draft.placeSafeStack(),
  pusha: (draft) => draft.placeSafeStack(),
  pushf: STACK_ONLY,
  popf: popFlags,
  pop: popEffectiveAddress,
  call(draft) {
    draft.placeStack();
    indirect(draft);
  },
  jmp: indirect,
  ret: returns,
  loop: counted,
  loope: counted,
  loopne: counted,
  jecxz: counted,
  movs: string,
  cmps: string,
  stos: string,
  lods: string,
  scas: string,
  div: division,
  idiv: division,
  bt: bitString,
  bts: bitString,
  btr: bitString,
  btc: bitString,
  cmpxchg: compareExchange,
  cmpxchg8b: compareExchange8,
  xlat: translate,
  shld: doubleShift,
  shrd: doubleShift,
  enter,
  leave,
  bound,
};

/** Memory of a 64-bit operand. */
export function pickMemory(draft: Draft): Uint8Array {
  const { dice, memoryBytes } = draft;
  if (memoryBytes !== 8) return littleEndian(pickValue(dice), memoryBytes);
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, pickWide(dice), true);
  return bytes;
}
