import type { Row, Size } from './builder.js';

/**
 * The notation of `Row.encodings`:
 *
 *     [NP | 66 | F3 | F2] [0F | 0F38 | 0F3A] opcode [/r | /digit | second opcode byte] [operand,operand…]
 *
 * - A mandatory prefix, or NP for none of them, tells instructions of one opcode apart; without it prefixes do not
 *   matter. MMX rows are NP.
 *
 * - `70+cc` stands for sixteen opcodes, `50+r` and (behind an escape byte D8–DF) `C0+i` for eight;
 *   the low bits are `form.number`.
 * - Operands (Intel SDM vol. 2, appendix A.2, as far as used): E r/m, M memory only, R register only,
 *   G register field, Z register in the opcode, I immediate, sI sign-extended immediate, J relative,
 *   A far pointer, O moffs, S segment, C control and D debug register, P MMX register field, Q MMX r/m,
 *   N MMX register only, V XMM register field, W XMM r/m, U XMM register only, STi;
 *   sizes b w d q x (128) v (by operand size), p/s far pointer or pseudo-descriptor; fixed: AL CL DX eAX 1.
 */
export type OperandKind =
  | 'rm'
  | 'reg'
  | 'opcodeRegister'
  | 'immediate'
  | 'relative'
  | 'farPointer'
  | 'moffs'
  | 'fixed'
  | 'one'
  | 'segment'
  | 'control'
  | 'debug'
  | 'st'
  | 'mmxReg'
  | 'mmxRm'
  | 'xmmReg'
  | 'xmmRm';

/** Kinds of operands whose number is in ModRM.reg, and those whose number is in ModRM.rm. */
export const FIELD_OF_REG: ReadonlySet<OperandKind> = new Set<OperandKind>(['reg', 'mmxReg', 'xmmReg']);
export const FIELD_OF_RM: ReadonlySet<OperandKind> = new Set<OperandKind>(['rm', 'mmxRm', 'xmmRm']);

export interface Operand {
  readonly kind: OperandKind;
  /** Bits, or 'v' for the operand size; 0 where a size means nothing (LEA, FXSAVE). */
  readonly size: Size | 64 | 128 | 'v' | 0;
  readonly signExtended: boolean;
  /** rm operands: which of the two shapes exist. */
  readonly register: boolean;
  readonly memory: boolean;
  /** Register number of a fixed operand. */
  readonly number: number;
  /** r, w, rw or -. */
  readonly access: string;
}

export interface Encoding {
  readonly row: Row;
  /** Index in the list of all encodings. */
  readonly id: number;
  /** 0: one-byte map, 1: 0F, 2: 0F38, 3: 0F3A. */
  readonly map: number;
  /** One of `PREFIX`. */
  readonly prefix: number;
  readonly opcode: number;
  /** `form.number`. */
  readonly number: number;
  /** One of a `+` range: an encoding of that opcode alone takes precedence (NOP over XCHG eAX,eAX). */
  readonly ranged: boolean;
  readonly hasModrm: boolean;
  /** Required reg field, or −1. */
  readonly digit: number;
  /** Required whole ModRM byte, or −1. */
  readonly modrm: number;
  readonly operands: readonly Operand[];
  /** Control and debug registers: the r/m operand is a register whatever the mod field says (SDM vol. 2, MOV). */
  readonly ignoresMod: boolean;
  /** Exists with 16- and 32-bit operand size. */
  readonly sized: boolean;
  /** Operand index of the r/m operand, or −1. */
  readonly rmOperand: number;
}

/** Mandatory prefixes. */
export const PREFIX = { any: -1, none: 0, operandSize: 1, f3: 2, f2: 3 } as const;
const PREFIXES: Readonly<Record<string, number>> = { NP: 0, '66': 1, F3: 2, F2: 3 };
const MAPS: Readonly<Record<string, number>> = { '0F': 1, '0F38': 2, '0F3A': 3 };

const SIZES: Record<string, Size | 64 | 128 | 'v' | 0> = {
  b: 8,
  w: 16,
  d: 32,
  q: 64,
  x: 128,
  v: 'v',
  z: 'v',
  '': 0,
  p: 0,
  s: 0,
  t: 0,
};

function parseOperand(text: string, access: string): Operand {
  const base = { signExtended: false, register: false, memory: false, number: 0, access };
  switch (text) {
    case 'AL':
      return { ...base, kind: 'fixed', size: 8, number: 0 };
    case 'CL':
      return { ...base, kind: 'fixed', size: 8, number: 1 };
    case 'DX':
      return { ...base, kind: 'fixed', size: 16, number: 2 };
    case 'eAX':
      return { ...base, kind: 'fixed', size: 'v', number: 0 };
    case '1':
      return { ...base, kind: 'one', size: 8 };
    case 'STi':
      return { ...base, kind: 'st', size: 0 };
  }
  if (text.startsWith('sI')) return { ...base, kind: 'immediate', size: 'v', signExtended: true };
  const size = SIZES[text.slice(1)];
  if (size === undefined) throw new Error(`unknown operand ${text}`);
  switch (text[0]) {
    case 'E':
      return { ...base, kind: 'rm', size, register: true, memory: true };
    case 'M':
      return { ...base, kind: 'rm', size, memory: true };
    case 'R':
      return { ...base, kind: 'rm', size, register: true };
    case 'G':
      return { ...base, kind: 'reg', size };
    case 'Z':
      return { ...base, kind: 'opcodeRegister', size };
    case 'I':
      return { ...base, kind: 'immediate', size };
    case 'J':
      return { ...base, kind: 'relative', size };
    case 'A':
      return { ...base, kind: 'farPointer', size: 'v' };
    case 'O':
      return { ...base, kind: 'moffs', size, memory: true };
    case 'S':
      return { ...base, kind: 'segment', size: 16 };
    case 'C':
      return { ...base, kind: 'control', size: 32 };
    case 'D':
      return { ...base, kind: 'debug', size: 32 };
    case 'P':
      return { ...base, kind: 'mmxReg', size };
    case 'Q':
      return { ...base, kind: 'mmxRm', size, register: true, memory: true };
    case 'N':
      return { ...base, kind: 'mmxRm', size, register: true };
    case 'V':
      return { ...base, kind: 'xmmReg', size };
    case 'W':
      return { ...base, kind: 'xmmRm', size, register: true, memory: true };
    case 'U':
      return { ...base, kind: 'xmmRm', size, register: true };
    default:
      throw new Error(`unknown operand ${text}`);
  }
}

const RM_KINDS: ReadonlySet<OperandKind> = new Set<OperandKind>(['rm', 'mmxRm', 'xmmRm', 'moffs']);
const DEFAULT_ACCESS = ['', 'rw', 'rw,r', 'rw,r,r'];

/** Parses every encoding of every row. Throws on a malformed row: that is a bug in `isa/`. */
export function parseEncodings(rows: readonly Row[]): Encoding[] {
  const out: Encoding[] = [];
  for (const row of rows) {
    for (const text of row.encodings) parseEncoding(row, text, out);
  }
  return out;
}

function parseEncoding(row: Row, text: string, out: Encoding[]): void {
  const tokens = text.split(/\s+/);
  const prefixed = tokens.length > 1 && tokens[1]! in MAPS;
  const prefix = prefixed ? PREFIXES[tokens.shift()!]! : row.unit === 'mmx' ? PREFIX.none : PREFIX.any;
  const map = MAPS[tokens[0]!] ?? 0;
  if (map > 0) tokens.shift();
  const [opcodeText, opcodePlus] = tokens.shift()!.split('+') as [string, string?];
  const opcodes = opcodePlus === 'cc' ? 16 : opcodePlus === 'r' ? 8 : 1;
  let digit = -1;
  let modrm = -1;
  let modrms = 1;
  let hasModrm = false;
  while (tokens.length > 0 && /^(\/[r0-7]|[0-9A-F]{2}(\+i)?)$/.test(tokens[0]!)) {
    const token = tokens.shift()!;
    hasModrm = true;
    if (token === '/r') continue;
    if (token.startsWith('/')) digit = Number(token[1]);
    else {
      modrm = parseInt(token.slice(0, 2), 16);
      if (token.endsWith('+i')) modrms = 8;
    }
  }
  const operandTexts = tokens.length > 0 ? tokens[0]!.split(',') : [];
  if (tokens.length > 1) throw new Error(`bad encoding ${text} of ${row.name}`);
  const accesses = (row.access ?? DEFAULT_ACCESS[operandTexts.length]!).split(',');
  const operands = operandTexts.map((t, i) => parseOperand(t, accesses[i] ?? 'r'));
  const sized = row.sized === true || operands.some((o) => o.size === 'v');
  const rmOperand = operands.findIndex((o) => RM_KINDS.has(o.kind));
  const ignoresMod = operands.some((o) => o.kind === 'control' || o.kind === 'debug');
  const first = parseInt(opcodeText, 16);
  for (let i = 0; i < opcodes; i++) {
    for (let j = 0; j < modrms; j++) {
      out.push({
        row,
        id: out.length,
        map,
        prefix,
        opcode: first + i,
        number: modrms > 1 ? j : i,
        ranged: opcodes > 1,
        hasModrm,
        digit,
        modrm: modrm < 0 ? -1 : modrm + j,
        operands,
        ignoresMod,
        sized,
        rmOperand,
      });
    }
  }
}

/** Condition suffixes in encoding order, for `+cc` rows. */
export const CONDITIONS = [
  'o',
  'no',
  'b',
  'ae',
  'e',
  'ne',
  'be',
  'a',
  's',
  'ns',
  'p',
  'np',
  'l',
  'ge',
  'le',
  'g',
] as const;
