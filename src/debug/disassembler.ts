import { DECODE, Decoder, MODE } from '../cpu/decoder.js';
import { ADDRESSING, Forms, type HandlerForm } from '../cpu/interpreter/forms.js';
import { CONDITIONS, type Operand } from '../isa/encoding.js';
import { STATE } from '../memory/layout.js';

/**
 * Machine code as text: `add dword [ebp-8],0x10`, in Intel's order with the keywords of NASM. It reads what
 * the processor's own decoder made of the bytes, so a trace shows what runs.
 *
 * Numbers below ten are decimal, others hexadecimal; immediates are unsigned at the width of their operand.
 */
export interface Disassembled {
  readonly text: string;
  /** Bytes of the instruction; of what was there when it is not whole. */
  readonly length: number;
}

const DWORDS = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'];
const WORDS = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'];
const BYTES = ['al', 'cl', 'dl', 'bl', 'ah', 'ch', 'dh', 'bh'];
const SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'];
const SIZES: Readonly<Record<number, string>> = { 8: 'byte ', 16: 'word ', 32: 'dword ', 64: 'qword ', 128: 'oword ' };
const SEGMENT_PREFIXES: Readonly<Record<number, number>> = { 38: 0, 46: 1, 54: 2, 62: 3, 100: 4, 101: 5 };

/** Rows whose mnemonic depends on the operand size: the names for 16 and 32 bits. */
const NAMES_BY_SIZE: Readonly<Record<string, readonly [string, string]>> = {
  cbw: ['cbw', 'cwde'],
  cwd: ['cwd', 'cdq'],
  pusha: ['pushaw', 'pushad'],
  popa: ['popaw', 'popad'],
  pushf: ['pushfw', 'pushfd'],
  popf: ['popfw', 'popfd'],
  iret: ['iretw', 'iretd'],
};
/** x87 operations on ST and ST(i); DC and DE store to ST(i). */
const TWO_STACK_OPERANDS = /^f(add|mul|subr?|divr?)p?$|^fcmov|^fu?comip?$/;
const STORES_TO_ST_I = new Set([0xdc, 0xde]);
const SYSTEM_WORDS = new Set(['sldt', 'str', 'smsw']);
/** x87 operands of ten bytes. */
const TEN_BYTES = new Set(['fld', 'fstp', 'fbld', 'fbstp']);

interface Prefixes {
  operandSize: boolean;
  addressSize: boolean;
  lock: boolean;
  /** −1: none. */
  segment: number;
}

function number(value: number): string {
  const unsigned = value >>> 0;
  return unsigned < 10 ? String(unsigned) : `0x${unsigned.toString(16)}`;
}

function signed(value: number): string {
  return value < 0 ? `-${number(-value)}` : `+${number(value)}`;
}

export class Disassembler {
  private readonly forms: Forms;
  private readonly decoder: Decoder;
  /** Of the instruction being written. */
  private prefixes: Prefixes = { operandSize: false, addressSize: false, lock: false, segment: -1 };
  private nextEip = 0;

  constructor(forms = new Forms()) {
    this.forms = forms;
    this.decoder = new Decoder(forms);
  }

  /** `eip` is the address of `bytes[0]`; `code32` the D bit of the code segment. */
  disassemble(bytes: Uint8Array, eip: number, code32 = true): Disassembled {
    const mode = (code32 ? MODE.code32 : 0) | MODE.stack32 | MODE.flat;
    const outcome = this.decoder.decode(bytes, 0, bytes.length, mode);
    if (outcome === DECODE.more) return { text: '(incomplete)', length: bytes.length };
    if (outcome === DECODE.tooLong) return { text: '(bad)', length: Math.min(bytes.length, 15) };
    const { form: index, length } = this.decoder.decoded;
    const form = this.forms.list[index]!;
    const opcodeAt = this.readPrefixes(bytes);
    this.nextEip = (eip + length) >>> 0;
    // The decoder makes UD2 of everything undefined.
    if (form.row.name === 'ud2' && (bytes[opcodeAt] !== 0x0f || bytes[opcodeAt + 1] !== 0x0b || this.prefixes.lock)) {
      return { text: '(bad)', length };
    }
    const operands = this.operands(form);
    const text = `${this.leadingWords(form)}${mnemonic(form)}${operands === '' ? '' : ` ${operands}`}`;
    return { text, length };
  }

  /** Returns the index of the opcode. */
  private readPrefixes(bytes: Uint8Array): number {
    const prefixes = { operandSize: false, addressSize: false, lock: false, segment: -1 };
    this.prefixes = prefixes;
    for (let i = 0; ; i++) {
      const byte = bytes[i]!;
      const segment = SEGMENT_PREFIXES[byte];
      if (segment !== undefined) prefixes.segment = segment;
      else if (byte === 0x66) prefixes.operandSize = true;
      else if (byte === 0x67) prefixes.addressSize = true;
      else if (byte === 0xf0) prefixes.lock = true;
      else if (byte !== 0xf2 && byte !== 0xf3) return i;
    }
  }

  /** Prefixes that no operand shows. */
  private leadingWords(form: HandlerForm): string {
    const { row, encoding } = form;
    const { prefixes } = this;
    let words = prefixes.lock ? 'lock ' : '';
    if (row.repeat && form.repeat !== 'none')
      words += row.repeat === 'rep' ? 'rep ' : form.repeat === 'rep' ? 'repe ' : 'repne ';
    if (prefixes.segment >= 0 && encoding.rmOperand < 0 && row.addressSized && !row.ends)
      words += `${SEGMENTS[prefixes.segment]} `;
    const sizeShown = encoding.operands.some((operand) => operand.size === 'v' && operand.kind !== 'relative');
    const sizeInName = row.name in NAMES_BY_SIZE || row.repeat !== undefined;
    if (prefixes.operandSize && encoding.sized && !sizeShown && !sizeInName) words += `o${form.size} `;
    if (prefixes.addressSize && row.addressSized && row.name !== 'jecxz') words += `a${form.addressSize} `;
    return words;
  }

  private operands(form: HandlerForm): string {
    const { encoding, row } = form;
    // Fences have a register field that means nothing.
    const shown = encoding.operands.filter(({ kind, size, memory }) => kind !== 'rm' || size !== 0 || memory);
    const texts = shown.map((operand, n) => this.operand(form, operand, n));
    if (encoding.operands[0]?.kind !== 'st' || !TWO_STACK_OPERANDS.test(row.name)) return texts.join(',');
    return STORES_TO_ST_I.has(encoding.opcode) ? `${texts[0]},st0` : `st0,${texts[0]}`;
  }

  private operand(form: HandlerForm, operand: Operand, n: number): string {
    const d = this.decoder.decoded;
    const size = operand.size === 'v' ? form.size : operand.size;
    switch (operand.kind) {
      case 'rm':
        return form.isMemory(n) ? this.memory(form, storesWord(form) ? 16 : size) : registerAt(d.rm, size);
      case 'reg':
        return registerAt(d.reg, size);
      case 'opcodeRegister':
        return registerAt(d.rm, size);
      case 'fixed':
        return registerName(operand.number, size);
      case 'one':
        return '1';
      case 'immediate': {
        const second = form.encoding.operands.slice(0, n).some((earlier) => earlier.kind === 'immediate');
        const value = second ? d.displacement : d.immediate;
        return number(size === 8 ? value & 0xff : size === 16 ? value & 0xffff : value);
      }
      case 'relative': {
        const target = this.nextEip + d.immediate;
        return `0x${(form.size === 16 ? target & 0xffff : target >>> 0).toString(16)}`;
      }
      case 'farPointer':
        return `${number(d.displacement)}:${number(d.immediate)}`;
      case 'moffs':
        return `${SIZES[size]}[${this.override()}${number(d.displacement)}]`;
      case 'segment':
        return SEGMENTS[d.reg]!;
      case 'control':
        return `cr${d.reg}`;
      case 'debug':
        return `dr${d.reg}`;
      case 'st':
        return `st${form.number}`;
      case 'mmxReg':
        return `mm${(d.reg - STATE.fpuRegisters) / 16}`;
      case 'xmmReg':
        return `xmm${(d.reg - STATE.xmm) / 16}`;
      case 'xmmRm':
        return form.isMemory(n) ? this.memory(form, size) : `xmm${(d.rm - STATE.xmm) / 16}`;
      case 'mmxRm':
        return form.isMemory(n) ? this.memory(form, size) : `mm${(d.rm - STATE.fpuRegisters) / 16}`;
    }
  }

  private override(): string {
    return this.prefixes.segment < 0 ? '' : `${SEGMENTS[this.prefixes.segment]}:`;
  }

  private memory(form: HandlerForm, size: number): string {
    const d = this.decoder.decoded;
    const wide = d.addressMask === -1;
    const names = wide ? DWORDS : WORDS;
    const parts: string[] = [];
    if (d.base !== STATE.zero) parts.push(names[(d.base - STATE.registers) / 4]!);
    if (form.addressing === ADDRESSING.full && d.index !== STATE.zero) {
      const index = names[(d.index - STATE.registers) / 4]!;
      parts.push(d.scale === 0 ? index : `${index}*${1 << d.scale}`);
    }
    let place = parts.join('+');
    if (place === '') place = number(d.displacement & d.addressMask);
    else if (d.displacement !== 0) place += signed(d.displacement);
    const keyword = size === 0 && TEN_BYTES.has(form.row.name) ? 'tword ' : (SIZES[size] ?? '');
    return `${keyword}[${this.override()}${place}]`;
  }
}

/** Segment and system registers take 16 bits of memory, whatever the operand size. */
function storesWord({ encoding, row }: HandlerForm): boolean {
  return encoding.operands[1]?.kind === 'segment' || SYSTEM_WORDS.has(row.name);
}

function mnemonic(form: HandlerForm): string {
  const { row, encoding, size } = form;
  if (row.name.endsWith('cc')) return row.name.slice(0, -2) + CONDITIONS[form.number]!;
  if (row.repeat) return row.name + (encoding.opcode & 1 ? (size === 16 ? 'w' : 'd') : 'b');
  if (row.name === 'jecxz') return form.addressSize === 16 ? 'jcxz' : 'jecxz';
  const bySize = NAMES_BY_SIZE[row.name];
  return bySize ? bySize[size === 16 ? 0 : 1] : row.name;
}

/** Name of the register at a state offset. */
function registerAt(offset: number, size: number): string {
  const at = offset - STATE.registers;
  return registerName(size === 8 ? (at >> 2) + 4 * (at & 3) : at >> 2, size);
}

function registerName(index: number, size: number): string {
  return (size === 8 ? BYTES : size === 16 ? WORDS : DWORDS)[index]!;
}

/** Made once, on first use: it has no state between calls. */
let shared: Disassembler | undefined;

/** What is at `eip`, given the bytes there (15 are always enough). */
export function disassemble(bytes: Uint8Array, eip: number, code32 = true): Disassembled {
  shared ??= new Disassembler();
  return shared.disassemble(bytes, eip, code32);
}
