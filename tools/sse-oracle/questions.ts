/** Makes up registers, operands and instructions: every encoding of the SSE families there is a row for. */

import { type Encoding, parseEncodings } from '../../src/isa/encoding.js';
import { MMX } from '../../src/isa/mmx.js';
import { SSE_FAMILIES } from '../../src/isa/sse-families.js';
import { Dice } from '../x87-oracle/questions.js';
import { pickVector } from './values.js';
import { MEMORY_BYTES, OPERAND, type Question } from './layout.js';

export interface Form {
  readonly name: string;
  readonly encoding: Encoding;
  readonly memory: boolean;
}

const MANDATORY = [[], [0x66], [0xf3], [0xf2]] as const;
const ESCAPES = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]] as const;
const ESP = 4;
const EDI = 7;

/** Every encoding with a register and with memory as operand. */
export function allForms(): Form[] {
  return parseEncodings([...MMX, ...SSE_FAMILIES]).flatMap((encoding) => {
    const rm = encoding.operands[encoding.rmOperand];
    const memories = rm ? [...(rm.register ? [false] : []), ...(rm.memory ? [true] : [])] : [false];
    return memories.map((memory): Form => {
      const operands = encoding.operands.map((operand) => `${operand.kind}${operand.size}`).join(',');
      return { name: `${encoding.row.name} ${operands}${memory ? ' mem' : ''}`, encoding, memory };
    });
  });
}

/** Where the operand lies: at a multiple of 16 mostly, else anywhere, now and then over the end of memory. */
function pickOffset(dice: Dice, bytes: number): number {
  switch (dice.below(16)) {
    case 0:
      return dice.below(MEMORY_BYTES);
    case 1:
      return MEMORY_BYTES - dice.below(bytes + 1);
    case 2:
      return 4 * dice.below(MEMORY_BYTES / 4);
    default:
      return 16 * dice.below(MEMORY_BYTES / 16);
  }
}

const DEFAULT_MXCSR = 0x1f80;

/** Half of the time as it is after reset, but for flags; else anything, exceptions unmasked now and then. */
function pickMxcsr(dice: Dice): number {
  const flags = dice.below(2) === 0 ? 0 : dice.below(64);
  if (dice.below(2) === 0) return DEFAULT_MXCSR | flags;
  const masks = dice.below(2) === 0 ? 0x3f : dice.below(64);
  const modes = (dice.below(4) << 13) | (dice.below(3) === 0 ? 0x8000 : 0) | (dice.below(3) === 0 ? 0x40 : 0);
  return (masks << 7) | modes | (flags & masks);
}

function generalRegisters(dice: Dice, offset: number): Uint32Array {
  const registers = Uint32Array.from({ length: 8 }, () =>
    dice.below(3) === 0 ? dice.pick([0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x100_0001]) : dice.word(),
  );
  registers[EDI] = OPERAND + offset;
  return registers;
}

export function makeQuestion(dice: Dice, { name, encoding, memory }: Form): Question {
  const { row, operands } = encoding;
  const bytes = encoding.rmOperand >= 0 ? Number(operands[encoding.rmOperand]!.size) / 8 : 16;
  // Which bytes of a masked store can fault, and where, depends on the processor model: it stays inside.
  const offset = row.name.startsWith('maskmov') ? dice.below(MEMORY_BYTES - 15) : pickOffset(dice, bytes);
  const code: number[] = [...(encoding.prefix > 0 ? MANDATORY[encoding.prefix]! : []), ...ESCAPES[encoding.map]!];
  code.push(encoding.opcode);
  if (encoding.modrm >= 0) code.push(encoding.modrm);
  else if (encoding.hasModrm) {
    const isGeneral = (kind: string): boolean => operands.some((operand) => operand.kind === kind);
    let reg = encoding.digit >= 0 ? encoding.digit : dice.below(8);
    let rm = dice.below(8);
    if (encoding.digit < 0 && isGeneral('reg') && reg === ESP) reg = 0;
    if (isGeneral('rm') && rm === ESP) rm = 1;
    if (!memory) code.push(0xc0 | (reg << 3) | rm);
    // [edi], or [edi+0]
    else if (dice.below(2) === 0) code.push((reg << 3) | EDI);
    else code.push(0x40 | (reg << 3) | EDI, 0);
  }
  if (operands.some((operand) => operand.kind === 'immediate')) code.push(dice.below(dice.below(2) === 0 ? 256 : 20));
  const xmm = new Uint8Array(128);
  for (let i = 0; i < 8; i++) xmm.set(pickVector(dice, row.name), 16 * i);
  // Equal and opposite operands now and then.
  if (dice.below(8) === 0) xmm.copyWithin(0, 16, 128);
  const mm = BigUint64Array.from({ length: 8 }, () => new DataView(pickVector(dice, row.name).buffer).getBigUint64(0));
  const contents = new Uint8Array(MEMORY_BYTES);
  for (let i = 0; i < 4; i++) contents.set(pickVector(dice, row.name), 16 * i);
  if (row.name === 'ldmxcsr' && dice.below(2) === 0)
    for (let i = 2; i < MEMORY_BYTES; i += 4) contents.fill(0, i, i + 2);
  return {
    name,
    xmm,
    mm,
    memory: contents,
    registers: generalRegisters(dice, offset),
    mxcsr: pickMxcsr(dice),
    eflags: 0x202 | (dice.below(0x1000) & 0x8d5),
    code,
  };
}

/** The same questions for the same numbers, on every machine. */
export function makeQuestions(casesPerForm: number, seed: number): Question[] {
  const dice = new Dice(seed);
  return allForms().flatMap((form) => Array.from({ length: casesPerForm }, () => makeQuestion(dice, form)));
}
