/** Chooses the form of an instruction and turns it into bytes. */

import { AssemblyError, type Expression } from './expressions.js';
import { buildInstructionTable, type Form } from './instructions.js';
import type { Operand } from './operands.js';

/** What encoding needs to know of the surroundings. */
export interface Surroundings {
  /** Value of an expression, as things stand in this pass. */
  value(expression: Expression): number;
  /** Value of an expression that depends on constants alone, else undefined. */
  constant(expression: Expression): number | undefined;
}

/** An instruction with its form chosen; jumps may still grow from `form` to `longer`. */
export interface Instruction {
  prefixes: readonly number[];
  operands: readonly Operand[];
  form: Form;
  longer?: Form;
}

const PREFIXES: Readonly<Record<string, number>> = {
  lock: 0xf0,
  rep: 0xf3,
  repe: 0xf3,
  repz: 0xf3,
  repne: 0xf2,
  repnz: 0xf2,
  o16: 0x66,
  a16: 0x67,
};
const SEGMENT_PREFIXES = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65];

/** The prefix byte called `word`, if it is one. */
export function prefixNamed(word: string): number | undefined {
  return PREFIXES[word];
}

/** Knows every instruction; one per assembly. */
export class Encoder {
  private readonly table = buildInstructionTable();

  knows(mnemonic: string): boolean {
    return this.table.has(mnemonic);
  }

  /** Finds the form that fits the operands. */
  choose(mnemonic: string, operands: readonly Operand[], prefixes: readonly number[], at: Surroundings): Instruction {
    const forms = this.table.get(mnemonic);
    if (forms === undefined) throw new AssemblyError(`unknown instruction ${mnemonic}`);
    const fitting = forms.filter(
      (form) =>
        form.operands.length === operands.length &&
        form.operands.every((kind, i) => matches(kind, operands[i]!, form, at)),
    );
    const form = fitting[0];
    if (form === undefined) throw new AssemblyError(`${mnemonic} does not take these operands`);
    operands.forEach((operand, i) => {
      if (operand.kind !== 'memory' || operand.size !== undefined) return;
      const sizes = new Set(fitting.map((each) => memorySize(each.operands[i]!)).filter((size) => size !== 0));
      if (sizes.size > 1) throw new AssemblyError(`${mnemonic}: say byte, word or dword`);
    });
    const segment = operands.find((operand) => operand.kind === 'memory' && operand.segment !== undefined);
    const all = segment?.kind === 'memory' ? [...prefixes, SEGMENT_PREFIXES[segment.segment!]!] : prefixes;
    const longer = form.tail[0] === 'jb' ? fitting.find((each) => each.tail[0] === 'jd') : undefined;
    return longer === undefined ? { prefixes: all, operands, form } : { prefixes: all, operands, form, longer };
  }

  /** Appends the bytes of `instruction`, which begins at virtual address `address`, to `out`. */
  encode(instruction: Instruction, address: number, out: number[], at: Surroundings): void {
    const { form, operands } = instruction;
    const start = out.length;
    out.push(...instruction.prefixes, ...form.opcode);
    if (form.plusRegister) {
      out[out.length - 1]! += registerOf(operands, form, /^(r8|r16|r32|sti)$/);
    }
    if (form.modrm >= 0) encodeModRm(form, operands, out, at);
    let next = 0;
    for (const part of form.tail) {
      while (next < operands.length && !takesTail(form.operands[next]!)) next++;
      const operand = operands[next++];
      if (operand === undefined) throw new AssemblyError(`no operand for ${part}`);
      encodeTail(part, operand, address + (out.length - start), out, at);
    }
  }
}

function takesTail(kind: string): boolean {
  return /^(imm|simm8|rel|far|mo$)/.test(kind);
}

/** Bytes a memory operand of this kind has; 0: any. */
function memorySize(kind: string): number {
  const m = /(\d+)$/.exec(kind);
  return kind === 'm' || kind === 'mo' || m === null ? 0 : Number(m[1]) / 8;
}

function matches(kind: string, operand: Operand, form: Form, at: Surroundings): boolean {
  switch (operand.kind) {
    case 'register':
      return matchesRegister(kind, operand.class, operand.number);
    case 'memory': {
      if (kind === 'mo') {
        const bytes = form.operands.includes('al') ? 1 : form.width;
        return (
          operand.base === undefined &&
          operand.index === undefined &&
          (operand.size === undefined || operand.size === bytes)
        );
      }
      if (!/^(m|rm\d+|m\d+|mm\/m64|xmm\/m\d+)$/.test(kind)) return false;
      const size = memorySize(kind);
      return size === 0 || operand.size === undefined || operand.size === size;
    }
    case 'immediate':
      return matchesImmediate(kind, operand, form, at);
    case 'far':
      return kind === 'far';
  }
}

function matchesRegister(kind: string, registerClass: string, number: number): boolean {
  switch (kind) {
    case 'r8':
    case 'rm8':
      return registerClass === 'r8';
    case 'r16':
    case 'rm16':
      return registerClass === 'r16';
    case 'r32':
    case 'rm32':
      return registerClass === 'r32';
    case 'al':
      return registerClass === 'r8' && number === 0;
    case 'cl':
      return registerClass === 'r8' && number === 1;
    case 'ax':
      return registerClass === 'r16' && number === 0;
    case 'dx':
      return registerClass === 'r16' && number === 2;
    case 'eax':
      return registerClass === 'r32' && number === 0;
    case 'sreg':
      return registerClass === 'segment';
    case 'cr':
      return registerClass === 'control';
    case 'dr':
      return registerClass === 'debug';
    case 'st0':
      return registerClass === 'st' && number === 0;
    case 'sti':
      return registerClass === 'st';
    case 'mm':
    case 'mm/m64':
      return registerClass === 'mm';
    case 'xmm':
    case 'xmm/m128':
      return registerClass === 'xmm';
    default:
      return kind.startsWith('sreg') && registerClass === 'segment' && number === Number(kind.slice(4));
  }
}

function matchesImmediate(
  kind: string,
  operand: Extract<Operand, { kind: 'immediate' }>,
  form: Form,
  at: Surroundings,
): boolean {
  const size = operand.size;
  switch (kind) {
    case 'one':
      return size === undefined && at.constant(operand.value) === 1;
    case 'simm8': {
      if (size !== undefined && size !== 1) return false;
      const value = at.constant(operand.value);
      if (value === undefined) return false;
      const signed = form.width === 2 ? (value << 16) >> 16 : value | 0;
      return signed >= -128 && signed <= 127;
    }
    case 'imm8':
      return size === undefined || size === 1;
    case 'imm16':
      return size === undefined || size === 2;
    case 'imm32':
      return size === undefined || size === 4;
    case 'rel8':
      return operand.distance !== 'near';
    case 'rel32':
      return operand.distance !== 'short';
    default:
      return false;
  }
}

function registerOf(operands: readonly Operand[], form: Form, kinds: RegExp): number {
  const index = form.operands.findIndex((kind) => kinds.test(kind));
  const operand = operands[index];
  if (operand?.kind !== 'register') throw new AssemblyError('register expected');
  return operand.number;
}

function encodeModRm(form: Form, operands: readonly Operand[], out: number[], at: Surroundings): void {
  // With /r one operand goes into reg and the other into r/m; the r/m operand is the one that may be memory, or,
  // between two registers, the one the row names so (control registers and the like are always reg).
  let rm = form.operands.findIndex((kind) => /^(rm\d+|m\d*|mm\/m64|xmm\/m\d+)$/.test(kind));
  if (rm < 0) rm = form.operands.findIndex((kind, i) => kind === 'r32' && form.operands.length - 1 === i);
  if (rm < 0) rm = form.operands.findIndex((kind) => kind === 'r32' || kind === 'r16');
  let reg = form.modrm;
  if (reg === 8) {
    const other = operands.find((operand, i) => i !== rm && operand.kind === 'register');
    if (other?.kind !== 'register') throw new AssemblyError('register expected');
    reg = other.number;
  }
  const operand = operands[rm];
  if (operand?.kind === 'register') out.push(0xc0 | (reg << 3) | operand.number);
  else if (operand?.kind === 'memory') encodeAddress(operand, reg, out, at);
  else throw new AssemblyError('this operand cannot be encoded');
}

/** ModRM, SIB and displacement of a 32-bit address (SDM vol. 2, tables 2-2 and 2-3). */
function encodeAddress(
  operand: Extract<Operand, { kind: 'memory' }>,
  reg: number,
  out: number[],
  at: Surroundings,
): void {
  let { base, index } = operand;
  if (index === 4) {
    if (operand.scale !== 1 || base === 4) throw new AssemblyError('esp cannot be an index');
    [base, index] = [index, base];
  }
  const displacement = operand.displacement;
  const constant = displacement === undefined ? 0 : at.constant(displacement);
  let mod = 2;
  if (base === undefined) mod = 0;
  else if (constant === 0 && base !== 5) mod = 0;
  else if (constant !== undefined && (constant | 0) >= -128 && (constant | 0) <= 127) mod = 1;
  if (index !== undefined || base === 4) {
    out.push((mod << 6) | (reg << 3) | 4);
    out.push((Math.log2(operand.scale) << 6) | ((index ?? 4) << 3) | (base ?? 5));
  } else {
    out.push((mod << 6) | (reg << 3) | (base ?? 5));
  }
  if (mod === 1) out.push(constant! & 0xff);
  else if (mod === 2 || base === undefined) pushNumber(displacement === undefined ? 0 : at.value(displacement), 4, out);
}

function encodeTail(part: string, operand: Operand, address: number, out: number[], at: Surroundings): void {
  if (part === 'ao') {
    if (operand.kind !== 'memory') throw new AssemblyError('memory expected');
    pushNumber(operand.displacement === undefined ? 0 : at.value(operand.displacement), 4, out);
  } else if (part === 'pt') {
    if (operand.kind !== 'far') throw new AssemblyError('far pointer expected');
    pushNumber(at.value(operand.offset), 4, out);
    pushNumber(at.value(operand.selector), 2, out);
  } else if (operand.kind !== 'immediate') {
    throw new AssemblyError('number expected');
  } else if (part === 'jb' || part === 'jd') {
    const size = part === 'jb' ? 1 : 4;
    const distance = (at.value(operand.value) - (address + size)) | 0;
    if (size === 1 && (distance < -128 || distance > 127)) throw new OutOfReach();
    pushNumber(distance, size, out);
  } else {
    const size = part === 'ib' ? 1 : part === 'iw' ? 2 : 4;
    const value = at.value(operand.value);
    // A byte written as 0xFFFFFFFE stands for −2.
    pushNumber(size < 4 && value > 0x7fffffff ? value | 0 : value, size, out);
  }
}

/** A short jump does not reach its target; the layout tries again with the long form. */
export class OutOfReach extends AssemblyError {
  constructor() {
    super('the target is too far for a short jump');
  }
}

/** Appends `value` as `size` bytes, least significant first; it must fit as signed or as unsigned number. */
export function pushNumber(value: number, size: number, out: number[]): void {
  const limit = 2 ** (size * 8);
  if (size < 4 ? value < -limit / 2 || value >= limit : Math.abs(value) >= 2 * limit) {
    throw new AssemblyError(`${value} does not fit into ${size} byte${size === 1 ? '' : 's'}`);
  }
  const word = value | 0;
  for (let i = 0; i < size; i++) out.push((word >> (8 * i)) & 0xff);
}
