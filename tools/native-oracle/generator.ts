/** Makes up tests from the rows of `src/isa`. */

import type { Dice } from '../x87-oracle/questions.js';
import { CS, Draft, ESP } from './draft.js';
import { MODES, PAGE, type Question, type UnitState } from './layout.js';
import { pickMemory, RECIPES } from './recipes.js';
import { address16, operandBits, type Shape, stack16 } from './shapes.js';
import { littleEndian, oneIn, pickValue, pickWide } from './values.js';

export interface Test extends Question {
  readonly shape: Shape;
  /** EFLAGS bits that the instruction leaves undefined. */
  readonly undefinedFlags: number;
}

const FLAG_BITS: Record<string, number> = { O: 0x800, S: 0x80, Z: 0x40, A: 0x10, P: 4, C: 1 };
const CHANGEABLE_FLAGS = 0xcd5;
const LONGEST = 15;

function flagBits(letters: string): number {
  return [...letters].reduce((bits, letter) => bits | FLAG_BITS[letter]!, 0);
}

/** A random test of `shape`; with `previous`, one that has much in common with that. */
export function makeTest(dice: Dice, shape: Shape, previous?: Test): Test {
  const draft = new Draft(dice, shape, previous?.registers);
  const { encoding } = shape;
  const { row } = encoding;
  RECIPES[row.name]?.(draft);
  const modrm: number[] = [];
  if (encoding.modrm >= 0) modrm.push(encoding.modrm);
  else if (encoding.hasModrm && !shape.memory) modrm.push(0xc0 | (draft.reg << 3) | draft.rm);
  else if (encoding.hasModrm) modrm.push(...memoryOperand(draft));
  else if (shape.memory) modrm.push(...absoluteAddress(draft));
  const lockable = row.lock === true && shape.memory && encoding.rmOperand === 0;
  // LOCK VERW is no #UD on some processors.
  const lock = lockable ? oneIn(dice, 3) : row.name !== 'verw' && oneIn(dice, 200);
  // F2 and F3 make other instructions of those of the 0F map, and, on some processors, of LOOP.
  const head = draft.prefixes(encoding.map === 0 && row.repeat === undefined && !row.ends, lock);
  const opcode = encoding.map === 1 ? [0x0f, encoding.opcode] : [encoding.opcode];
  const rest = [...opcode, ...modrm];
  const immediates = immediateBytes(draft, head.length + rest.length);
  // Segment prefixes without effect, up to the longest instruction and one byte beyond.
  const length = head.length + rest.length + immediates.length;
  if (!shape.memory && !row.stack && !row.addressSized && !row.ends && oneIn(dice, 200)) {
    for (let i = length; i < LONGEST + dice.below(2); i++) head.push(0x3e);
  }
  const bytes = [...head, ...rest, ...immediates];
  let { codeAddress } = draft;
  if (oneIn(dice, 100) && !row.ends && bytes.length < LONGEST)
    codeAddress = (codeAddress & ~0xfff) + PAGE - 1 - dice.below(bytes.length);
  const code = Uint8Array.from(bytes.slice(0, PAGE - (codeAddress & 0xfff)));
  return {
    shape,
    undefinedFlags: undefinedFlags(draft),
    code,
    mode: shape.mode,
    codeAddress,
    eip: codeAddress - MODES[shape.mode]![CS]!.base,
    eflags: dice.word() & CHANGEABLE_FLAGS & (oneIn(dice, 4) || usesDirection(shape) ? -1 : ~0x400),
    registers: draft.registers,
    patches: draft.patches,
    unit: row.unit === 'mmx' ? pickUnit(draft) : undefined,
  };
}

function usesDirection(shape: Shape): boolean {
  return shape.encoding.row.addressSized === true;
}

function memoryOperand(draft: Draft): number[] {
  const { shape, dice } = draft;
  const { row } = shape.encoding;
  const addressOnly = shape.encoding.operands[shape.encoding.rmOperand]!.access === '-';
  // POP computes the address with ESP already moved.
  const popped = row.name === 'pop' && !shape.encoding.ranged;
  const before = draft.registers[ESP]!;
  if (popped) {
    const moved = (before + draft.operandBytes) >>> 0;
    draft.registers[ESP] = stack16(shape) ? ((before & ~0xffff) | (moved & 0xffff)) >>> 0 : moved;
  }
  const { modrm, tail } = draft.solve((segment) =>
    addressOnly ? dice.word() & draft.addressMask : draft.place(segment, draft.memoryBytes, draft.addressMask),
  );
  if (popped) draft.registers[ESP] = before;
  if (!addressOnly) draft.patch(draft.memoryLinear, draft.memoryValue ?? pickMemory(draft));
  return [modrm | (draft.reg << 3), ...tail];
}

/** The address of MOV AL,[moffs]. */
function absoluteAddress(draft: Draft): number[] {
  const segment = draft.override >= 0 ? draft.override : 3;
  const offset = draft.place(segment, draft.memoryBytes, draft.addressMask);
  draft.patch(draft.linear(segment, offset), pickMemory(draft));
  return Array.from({ length: address16(draft.shape) ? 2 : 4 }, (_, i) => (offset >>> (8 * i)) & 0xff);
}

function immediateBytes(draft: Draft, before: number): number[] {
  const { shape, dice } = draft;
  const { operands, row } = shape.encoding;
  const out: number[] = [];
  const used: number[] = [];
  operands.forEach((operand, n) => {
    const bytes = operand.signExtended ? 1 : operandBits(shape, n) / 8;
    if (operand.kind === 'farPointer') {
      out.push(...littleEndian(draft.farPointer.offset, bytes), ...littleEndian(draft.farPointer.selector, 2));
      return;
    }
    let value: number;
    if (operand.kind === 'relative') value = pickDistance(draft, before + bytes, bytes);
    else if (operand.kind === 'immediate') value = draft.immediates[used.length] ?? pickValue(dice);
    else return;
    used.push(value);
    for (let i = 0; i < bytes; i++) out.push((value >>> (8 * i)) & 0xff);
  });
  if (row.name !== 'enter') draft.immediates = used;
  return out;
}

/** Distance of a relative jump that does not end inside the instruction. */
function pickDistance(draft: Draft, length: number, bytes: number): number {
  const { dice } = draft;
  if (bytes === 1) {
    let distance: number;
    do distance = (dice.word() << 24) >> 24;
    while (distance < 0 && distance >= -length);
    return distance;
  }
  const next = draft.codeAddress - draft.segment(CS).base + length;
  return (draft.pickTarget() - next) | 0;
}

/** Of the registers, those that the instruction names are worth random numbers. */
function pickUnit({ dice, reg, rm }: Draft): UnitState {
  const registers = BigUint64Array.from({ length: 8 }, (_, i) => BigInt(i) * 0x0101_0101_0101_0101n);
  registers[reg] = pickWide(dice);
  registers[rm] = pickWide(dice);
  return { top: dice.below(8), tags: dice.below(256), registers };
}

const SHIFTS = new Set(['shl', 'shr', 'sar', 'shld', 'shrd']);
const ROTATES = new Set(['rol', 'ror', 'rcl', 'rcr']);

/** The row's undefined flags, and those that depend on a shift count (SDM vol. 2). */
function undefinedFlags(draft: Draft): number {
  const { shape } = draft;
  const { row, operands } = shape.encoding;
  const always = flagBits(row.flags?.undefined ?? '');
  if (!SHIFTS.has(row.name) && !ROTATES.has(row.name)) return always;
  const kind = operands.at(-1)!.kind;
  const count = (kind === 'one' ? 1 : kind === 'fixed' ? draft.registers[1]! : draft.immediates[0]!) & 31;
  if (count === 0) return 0;
  let bits = always;
  if (count !== 1) bits |= flagBits('O');
  if (SHIFTS.has(row.name) && row.name !== 'sar' && count >= operandBits(shape, 0)) bits |= flagBits('C');
  return bits;
}
