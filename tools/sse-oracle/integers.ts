/**
 * Integer instructions for the same oracle: those that mean the same in 64-bit mode, with registers and flat memory. A
 * second check of what `tools/native-oracle` asks about in every kind of segment, on machines without 32-bit programs.
 */

import { type Encoding, parseEncodings } from '../../src/isa/encoding.js';
import { INSTRUCTIONS } from '../../src/isa/index.js';
import { oneIn, pickValue } from '../native-oracle/values.js';
import type { Dice } from '../x87-oracle/questions.js';
import { MEMORY_BYTES, OPERAND, type Question } from './layout.js';

export interface IntegerForm {
  readonly name: string;
  readonly encoding: Encoding;
  readonly memory: boolean;
  readonly operand16: boolean;
}

export interface IntegerQuestion extends Question {
  /** EFLAGS that the instruction leaves undefined. */
  readonly undefinedFlags: number;
}

const [EAX, ECX, EDX, EBX, ESP, ESI, EDI] = [0, 1, 2, 3, 4, 6, 7] as const;
const STRINGS = ['movs', 'cmps', 'stos', 'lods', 'scas'];
const BIT_STRINGS = ['bt', 'bts', 'btr', 'btc'];

/** One-byte opcodes that 64-bit mode has not, or has for something else. */
function isElsewhere({ map, opcode, row }: Encoding): boolean {
  if (map !== 0) return false;
  const gone = [0x27, 0x2f, 0x37, 0x3f, 0x62, 0x63, 0x82, 0xa0, 0xa1, 0xa2, 0xa3, 0xce, 0xd4, 0xd5, 0xd6, 0xd7];
  return (
    gone.includes(opcode) ||
    (opcode >= 0x40 && opcode < 0x50) ||
    (row.addressSized === true && !STRINGS.includes(row.name))
  );
}

export function integerForms(): IntegerForm[] {
  return parseEncodings(INSTRUCTIONS)
    .filter((encoding) => {
      const { row } = encoding;
      return !(row.system || row.ends || row.stack || row.unit || row.compact) && !isElsewhere(encoding);
    })
    .flatMap((encoding) => {
      const rm = encoding.operands[encoding.rmOperand];
      // A hint with a register: a NOP on some processors, undefined on others.
      if (encoding.map === 1 && encoding.opcode === 0x0d) return [];
      const memories = rm ? [...(rm.register ? [false] : []), ...(rm.memory ? [true] : [])] : [false];
      return memories.flatMap((memory) =>
        (encoding.sized ? [false, true] : [false]).map((operand16): IntegerForm => {
          const opcode = `${encoding.map ? '0f' : ''}${encoding.opcode.toString(16)}`;
          const digit = encoding.digit >= 0 ? `/${encoding.digit}` : '';
          const name = `${encoding.row.name} ${opcode}${digit}${operand16 ? ' 66' : ''}${memory ? ' mem' : ''}`;
          return { name, encoding, memory, operand16 };
        }),
      );
    });
}

const FLAG_BITS: Readonly<Record<string, number>> = { O: 0x800, S: 0x80, Z: 0x40, A: 0x10, P: 4, C: 1 };
const SHIFTS = ['shl', 'shr', 'sar', 'shld', 'shrd'];
const ROTATES = ['rol', 'ror', 'rcl', 'rcr'];

/** The row's, and those that depend on a shift count (SDM vol. 2). */
function undefinedFlags({ row }: Encoding, bits: number, count: number): number {
  const always = [...(row.flags?.undefined ?? '')].reduce((all, letter) => all | FLAG_BITS[letter]!, 0);
  const shift = SHIFTS.includes(row.name);
  if (!shift && !ROTATES.includes(row.name)) return always;
  if ((count & 31) === 0) return 0;
  const overflow = (count & 31) === 1 ? 0 : FLAG_BITS['O']!;
  const carry = shift && row.name !== 'sar' && (count & 31) >= bits ? FLAG_BITS['C']! : 0;
  return always | overflow | carry;
}

export function makeIntegerQuestion(dice: Dice, form: IntegerForm): IntegerQuestion {
  const { encoding, memory, operand16, name } = form;
  const { row, operands } = encoding;
  const bitsOf = (n: number): number => {
    const size = operands[n]?.size ?? 32;
    return size === 'v' ? (operand16 ? 16 : 32) : size;
  };
  const offset = oneIn(dice, 16) ? dice.below(MEMORY_BYTES) : 16 + dice.below(24);
  const registers = Uint32Array.from({ length: 8 }, () => pickValue(dice));
  const code = operand16 ? [0x66] : [];
  if (STRINGS.includes(row.name)) {
    registers[ECX] = dice.below(10);
    registers[ESI] = OPERAND + dice.below(MEMORY_BYTES);
    if (!oneIn(dice, 3)) code.push(dice.pick([0xf2, 0xf3]));
  }
  registers[EDI] = OPERAND + offset;
  if (encoding.map === 1) code.push(0x0f);
  code.push(encoding.opcode);
  let reg = encoding.digit >= 0 ? encoding.digit : dice.below(8);
  let rm = dice.below(8);
  // ESP is not the test's to use; as a byte register that number is AH.
  const isEsp = (kind: string): boolean => operands.some((o) => o.kind === kind && o.size !== 8);
  if (encoding.digit < 0 && reg === ESP && isEsp('reg')) reg = EBX;
  if (rm === ESP && isEsp('rm')) rm = EDX;
  if (encoding.hasModrm) {
    if (!memory) code.push(0xc0 | (reg << 3) | rm);
    else code.push(0x40 | (reg << 3) | EDI, 0);
  } else if (operands.some((o) => o.kind === 'opcodeRegister') && encoding.number === ESP && bitsOf(0) !== 8) {
    code[code.length - 1]! -= ESP - EBX;
  }
  const bitString = memory && BIT_STRINGS.includes(row.name) && operands[1]!.kind === 'reg';
  // A register as bit index stays near the operand.
  if (bitString && reg !== EDI) registers[reg] = dice.below(64);
  const edi = registers[EDI]!;
  if (row.name === 'div' || row.name === 'idiv') prepareDivision(dice, registers, bitsOf(0));
  let immediate = pickValue(dice);
  // Counts above 16 of a 16-bit SHLD are undefined, result and all.
  if ((row.name === 'shld' || row.name === 'shrd') && operand16) {
    immediate = dice.below(17);
    registers[ECX] = (registers[ECX]! & ~0xff) | dice.below(17);
  }
  operands.forEach((operand, n) => {
    if (operand.kind !== 'immediate') return;
    const bytes = operand.signExtended ? 1 : bitsOf(n) / 8;
    for (let i = 0; i < bytes; i++) code.push((immediate >>> (8 * i)) & 0xff);
  });
  registers[EDI] = memory || STRINGS.includes(row.name) ? edi : registers[EDI]!;
  const contents = new Uint8Array(MEMORY_BYTES);
  const view = new DataView(contents.buffer);
  for (let at = 0; at < MEMORY_BYTES; at += 4) view.setUint32(at, pickValue(dice), true);
  if (oneIn(dice, 2)) contents.copyWithin(0, 32);
  if (row.name.startsWith('cmpxchg') && oneIn(dice, 2)) {
    view.setUint32(offset & ~3, registers[EAX]!, true);
    if (offset + 8 <= MEMORY_BYTES) {
      view.setUint32(offset, registers[EAX]!, true);
      view.setUint32(offset + 4, registers[EDX]!, true);
    }
  }
  const countKind = operands.at(-1)?.kind;
  const count = countKind === 'one' ? 1 : countKind === 'fixed' ? registers[ECX]! : immediate;
  return {
    name,
    xmm: new Uint8Array(128),
    mm: new BigUint64Array(8),
    memory: contents,
    registers,
    mxcsr: 0x1f80,
    eflags: 0x202 | (dice.word() & 0x8d5),
    code,
    undefinedFlags: undefinedFlags(encoding, bitsOf(0), count & 0xff),
  };
}

/** Dividends whose quotient fits, most of the time. */
function prepareDivision(dice: Dice, registers: Uint32Array, bits: number): void {
  if (oneIn(dice, 4)) return;
  const small = oneIn(dice, 2) ? 0 : oneIn(dice, 2) ? 0xffff_ffff : dice.word() >>> dice.below(32);
  if (bits === 8) registers[EAX] = (registers[EAX]! & ~0xff00) | ((small & 0xff) << 8);
  else registers[EDX] = bits === 16 ? (registers[EDX]! & ~0xffff) | (small & 0xffff) : small;
}
