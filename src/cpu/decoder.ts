import { type Encoding, PREFIX } from '../isa/encoding.js';
import { CS, DS, FS, SS, STATE } from '../memory/layout.js';
import { ADDRESSING, type Forms, type Variant } from './interpreter/forms.js';
import { OpcodeMaps, mapIndex } from './opcode-maps.js';

/** What a decoded instruction's record will hold; one object is reused. */
export interface Decoded {
  /** Index in `Forms.list`. */
  form: number;
  /** Bytes. */
  length: number;
  reg: number;
  rm: number;
  base: number;
  index: number;
  scale: number;
  segment: number;
  addressMask: number;
  displacement: number;
  immediate: number;
}

/** Outcome of `decode`. */
export const DECODE = {
  ok: 0,
  /** The bytes at hand end before the instruction does. */
  more: 1,
  /** Longer than 15 bytes: #GP(0). */
  tooLong: 2,
} as const;

export const MAX_INSTRUCTION_BYTES = 15;

/** Bits of the decoding mode: what the meaning of bytes depends on besides the bytes. */
export const MODE = {
  /** CS.D: 32-bit operands and addresses by default. */
  code32: 1,
  /** SS.B. */
  stack32: 2,
  /** CS, DS, ES, SS have base 0, limit 4 GiB and ordinary rights. */
  flat: 4,
  /** Blocks of one instruction. */
  single: 8,
} as const;

/** CR0, CR2, CR3, CR4: others are undefined opcodes, at every privilege level. */
const CONTROL_REGISTERS: ReadonlySet<number> = new Set([0, 2, 3, 4]);

/** 16-bit addressing (SDM vol. 2, table 2-1): base and index register by r/m. */
const BASE16 = [3, 3, 5, 5, -1, -1, 5, 3];
const INDEX16 = [6, 7, 6, 7, 6, 7, -1, -1];

function registerOffset(number: number): number {
  return STATE.registers + number * 4;
}

function byteRegisterOffset(number: number): number {
  return STATE.registers + (number & 3) * 4 + (number >> 2);
}

/**
 * Turns bytes into forms and operand fields. Table-driven from the rows; undefined opcodes decode as UD2
 * of their length, so that #UD is raised at the right place.
 */
export class Decoder {
  readonly decoded: Decoded = {
    form: 0,
    length: 0,
    reg: 0,
    rm: 0,
    base: 0,
    index: 0,
    scale: 0,
    segment: 0,
    addressMask: 0,
    displacement: 0,
    immediate: 0,
  };
  private readonly forms: Forms;
  private readonly opcodes: OpcodeMaps;
  private readonly undefinedOpcode: Encoding;
  private readonly variant: Variant = {
    operand16: false,
    addressing: 0,
    checked: false,
    stack16: false,
    address16: false,
    repeat: 0,
  };

  private bytes: Uint8Array = new Uint8Array(0);
  private at = 0;
  private end = 0;
  private overrun = false;

  constructor(forms: Forms) {
    this.forms = forms;
    this.opcodes = new OpcodeMaps(forms.encodings);
    this.undefinedOpcode = forms.encodings.find((e) => e.row.name === 'ud2')!;
  }

  /** Decodes `bytes[start…end)` under `mode` into `decoded`; returns a `DECODE`. */
  decode(bytes: Uint8Array, start: number, end: number, mode: number): number {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
    this.overrun = false;
    const d = this.decoded;
    const code16 = (mode & MODE.code32) === 0;
    let operand16 = code16;
    let address16 = code16;
    let segmentOverride = -1;
    let lock = false;
    let repeat = 0;
    let opcode: number;
    prefixes: for (;;) {
      opcode = this.byte();
      if (this.at - start > MAX_INSTRUCTION_BYTES) return DECODE.tooLong;
      switch (opcode) {
        case 0x66:
          operand16 = !code16;
          break;
        case 0x67:
          address16 = !code16;
          break;
        case 0xf0:
          lock = true;
          break;
        case 0xf2:
          repeat = 2;
          break;
        case 0xf3:
          repeat = 1;
          break;
        case 0x26:
        case 0x2e:
        case 0x36:
        case 0x3e:
          segmentOverride = (opcode >> 3) & 3;
          break;
        case 0x64:
        case 0x65:
          segmentOverride = FS + (opcode & 1);
          break;
        default:
          break prefixes;
      }
    }
    let map = 0;
    if (opcode === 0x0f) {
      opcode = this.byte();
      map = opcode === 0x38 ? 2 : opcode === 0x3a ? 3 : 1;
      if (map > 1) opcode = this.byte();
      const prefix =
        repeat === 2 ? PREFIX.f2 : repeat === 1 ? PREFIX.f3 : operand16 !== code16 ? PREFIX.operandSize : PREFIX.none;
      map = mapIndex(map, prefix);
    }
    const { opcodes } = this;
    const modrm = opcodes.hasModrm(map, opcode) ? this.byte() : 0;
    let encoding = opcodes.find(map, opcode, modrm) ?? this.undefinedOpcode;
    d.base = STATE.zero;
    d.index = STATE.zero;
    d.scale = 0;
    d.displacement = 0;
    d.immediate = 0;
    d.addressMask = -1;
    let segment = DS;
    let addressing: number = ADDRESSING.none;
    const reg = (modrm >> 3) & 7;
    const rm = modrm & 7;
    if (encoding.hasModrm && encoding.modrm < 0 && encoding.rmOperand >= 0 && modrm < 0xc0 && !encoding.ignoresMod) {
      segment = address16 ? this.address16(modrm) : this.address32(modrm);
      addressing = d.index === STATE.zero ? ADDRESSING.simple : ADDRESSING.full;
    }
    for (const operand of encoding.operands) {
      const size = operand.size === 'v' ? (operand16 ? 16 : 32) : operand.size;
      switch (operand.kind) {
        case 'reg':
          d.reg = size === 8 ? byteRegisterOffset(reg) : registerOffset(reg);
          break;
        case 'rm':
          if (addressing === ADDRESSING.none) d.rm = size === 8 ? byteRegisterOffset(rm) : registerOffset(rm);
          break;
        case 'opcodeRegister':
          d.rm = size === 8 ? byteRegisterOffset(encoding.number) : registerOffset(encoding.number);
          break;
        case 'segment':
          // There are six, and CS is not loaded by moves.
          if (reg > 5 || (reg === CS && operand.access !== 'r')) encoding = this.undefinedOpcode;
          d.reg = reg;
          break;
        case 'control':
          if (!CONTROL_REGISTERS.has(reg)) encoding = this.undefinedOpcode;
          d.reg = reg;
          break;
        case 'debug':
          d.reg = reg;
          break;
        case 'mmxReg':
          d.reg = STATE.fpuRegisters + reg * 16;
          break;
        case 'mmxRm':
          if (addressing === ADDRESSING.none) d.rm = STATE.fpuRegisters + rm * 16;
          break;
        case 'xmmReg':
          d.reg = STATE.xmm + reg * 16;
          break;
        case 'xmmRm':
          if (addressing === ADDRESSING.none) d.rm = STATE.xmm + rm * 16;
          break;
        case 'moffs':
          d.displacement = address16 ? this.word() : this.dword();
          addressing = ADDRESSING.simple;
          break;
        case 'immediate':
          this.immediate(
            operand.signExtended ? 'signed' : size,
            operand16,
            operand === encoding.operands[1] && encoding.operands[0]!.kind === 'immediate',
          );
          break;
        case 'relative':
          d.immediate = size === 8 ? (this.byte() << 24) >> 24 : size === 16 ? (this.word() << 16) >> 16 : this.dword();
          break;
        case 'farPointer':
          d.immediate = operand16 ? this.word() : this.dword();
          d.displacement = this.word();
          break;
      }
    }
    if (this.overrun) return DECODE.more;
    if (this.at - start > MAX_INSTRUCTION_BYTES) return DECODE.tooLong;
    if (lock && !(encoding.row.lock && addressing !== ADDRESSING.none && encoding.rmOperand === 0)) {
      encoding = this.undefinedOpcode;
    }
    if (segmentOverride >= 0) segment = segmentOverride;
    d.segment = segment;
    if (encoding === this.undefinedOpcode) addressing = ADDRESSING.none;
    const variant = this.variant;
    variant.operand16 = operand16;
    variant.addressing = addressing;
    // A 16-bit address wraps, FS and GS have bases, CS cannot be written: the checked form knows all that.
    variant.checked =
      (mode & MODE.flat) === 0 ||
      segment >= FS ||
      segmentOverride === CS ||
      (address16 && addressing !== ADDRESSING.none && encoding.operands[encoding.rmOperand]?.kind !== 'moffs');
    variant.stack16 = (mode & MODE.stack32) === 0;
    variant.address16 = address16;
    variant.repeat = repeat;
    if (address16) d.addressMask = 0xffff;
    d.form = this.forms.find(encoding, variant);
    if (d.form < 0) throw new Error(`no form of ${encoding.row.name} for ${JSON.stringify(variant)}`);
    d.length = this.at - start;
    return DECODE.ok;
  }

  /** ModRM (and SIB) with 32-bit addressing, memory operand. Returns the default segment. */
  private address32(modrm: number): number {
    const d = this.decoded;
    const mod = modrm >> 6;
    let base = modrm & 7;
    if (base === 4) {
      const sib = this.byte();
      base = sib & 7;
      const index = (sib >> 3) & 7;
      if (index !== 4) {
        d.index = registerOffset(index);
        d.scale = sib >> 6;
      }
    }
    if (base === 5 && mod === 0) {
      d.displacement = this.dword();
      return DS;
    }
    d.base = registerOffset(base);
    if (mod === 1) d.displacement = (this.byte() << 24) >> 24;
    else if (mod === 2) d.displacement = this.dword();
    return base === 4 || base === 5 ? SS : DS;
  }

  private address16(modrm: number): number {
    const d = this.decoded;
    const mod = modrm >> 6;
    const rm = modrm & 7;
    if (mod === 0 && rm === 6) {
      d.displacement = this.word();
      return DS;
    }
    // A lone SI or DI is a base, so that the form without index serves it.
    const base = BASE16[rm]!;
    const index = INDEX16[rm]!;
    d.base = registerOffset(base < 0 ? index : base);
    if (base >= 0 && index >= 0) d.index = registerOffset(index);
    if (mod === 1) d.displacement = (this.byte() << 24) >> 24;
    else if (mod === 2) d.displacement = (this.word() << 16) >> 16;
    return base === 5 ? SS : DS;
  }

  private immediate(size: number | 'signed', operand16: boolean, second: boolean): void {
    let value: number;
    if (size === 'signed') {
      value = (this.byte() << 24) >> 24;
      if (operand16) value &= 0xffff;
    } else value = size === 8 ? this.byte() : size === 16 ? this.word() : this.dword();
    if (second) this.decoded.displacement = value;
    else this.decoded.immediate = value;
  }

  private byte(): number {
    if (this.at >= this.end) {
      this.overrun = true;
      this.at++;
      return 0x90;
    }
    return this.bytes[this.at++]!;
  }
  private word(): number {
    return this.byte() | (this.byte() << 8);
  }
  private dword(): number {
    return this.word() | (this.word() << 16);
  }
}
