/** Which instructions there are to test: every encoding in every mode, size and kind of operand. */

import type { Row } from '../../src/isa/builder.js';
import { type Encoding, parseEncodings } from '../../src/isa/encoding.js';
import { INSTRUCTIONS } from '../../src/isa/index.js';
import { MODE_CODE16, MODE_STACK16, MODES } from './layout.js';

export interface Shape {
  readonly encoding: Encoding;
  /** Index in `MODES`. */
  readonly mode: number;
  /** Prefixes 66 and 67. */
  readonly operandPrefix: boolean;
  readonly addressPrefix: boolean;
  /** The r/m operand is in memory. */
  readonly memory: boolean;
  /** 0, 1 (F3) or 2 (F2). */
  readonly repeat: number;
}

export const operand16 = (shape: Shape): boolean => (shape.mode === MODE_CODE16) !== shape.operandPrefix;
export const address16 = (shape: Shape): boolean => (shape.mode === MODE_CODE16) !== shape.addressPrefix;
export const stack16 = (shape: Shape): boolean => shape.mode === MODE_CODE16 || shape.mode === MODE_STACK16;

/** Bits of operand n. */
export function operandBits(shape: Shape, n: number): number {
  const size = shape.encoding.operands[n]!.size;
  return size === 'v' ? (operand16(shape) ? 16 : 32) : size;
}

/** Rows marked `system` that ring 3 may run and whose meaning depends on nothing outside the test. */
const USER_LEVEL = new Set([
  ...['into', 'bound', 'ud0', 'ud1', 'ud2', 'arpl', 'lar', 'lsl', 'verr', 'verw', 'les', 'lds', 'lss', 'lfs', 'lgs'],
  ...['jmp far', 'call far', 'retf', 'iret'],
  ...['es', 'cs', 'ss', 'ds', 'fs', 'gs'].flatMap((name) => [`push ${name}`, `pop ${name}`]),
]);
/** Those that ring 3 may not run: all end in #GP. MOV is that of segment, control and debug registers. */
const PRIVILEGED = new Set([
  ...['hlt', 'cli', 'sti', 'clts', 'invd', 'wbinvd', 'lgdt', 'lidt', 'lldt', 'ltr', 'lmsw', 'invlpg', 'rdmsr', 'wrmsr'],
  ...['in', 'out', 'ins', 'outs', 'mov'],
]);

export function isTestable(row: Row): boolean {
  return (
    (!row.system || USER_LEVEL.has(row.name) || PRIVILEGED.has(row.name)) &&
    (row.unit === undefined || row.unit === 'mmx')
  );
}

/** PREFETCH of a register; whether ARPL needs to write what does not change. */
function dependsOnModel(encoding: Encoding, memory: boolean): boolean {
  return (encoding.map === 1 && encoding.opcode === 0x0d && !memory) || (encoding.row.name === 'arpl' && memory);
}

const BOTH = [false, true];

export function* shapesOf(encoding: Encoding): Generator<Shape> {
  const { row } = encoding;
  const rm = encoding.operands[encoding.rmOperand];
  const memories = rm ? [...(rm.register ? [false] : []), ...(rm.memory ? [true] : [])] : [false];
  const repeats = row.repeat === undefined ? [0] : [0, 1, 2];
  for (const memory of memories) {
    if (dependsOnModel(encoding, memory)) continue;
    const touches = memory || row.stack || row.addressSized || row.ends;
    for (let mode = 0; mode < MODES.length; mode++) {
      // BSWAP of 16 bits is undefined.
      if (row.name === 'bswap' && mode === MODE_CODE16) continue;
      if (!touches && mode !== 0 && mode !== MODE_CODE16) continue;
      for (const operandPrefix of encoding.sized ? BOTH : [false])
        for (const addressPrefix of memory || row.addressSized ? BOTH : [false])
          for (const repeat of repeats) yield { encoding, mode, operandPrefix, addressPrefix, memory, repeat };
    }
  }
}

/** Every shape of every instruction that ring 3 may run here. */
export function allShapes(): Shape[] {
  return (
    parseEncodings(INSTRUCTIONS)
      // Those with mandatory prefixes have an oracle of their own, tools/sse-oracle.
      .filter((encoding) => isTestable(encoding.row) && !encoding.row.compact)
      .flatMap((encoding) => [...shapesOf(encoding)])
  );
}

/** One line for reports: `add Ev,Gv [mode 0 66 mem]`. */
export function describeShape(shape: Shape): string {
  const { encoding } = shape;
  const opcode =
    (encoding.map ? '0f' : '') +
    encoding.opcode.toString(16).padStart(2, '0') +
    (encoding.digit >= 0 ? `/${encoding.digit}` : '');
  const marks = [
    `mode ${shape.mode}`,
    shape.operandPrefix ? '66' : '',
    shape.addressPrefix ? '67' : '',
    shape.memory ? 'mem' : '',
    ['', 'f3', 'f2'][shape.repeat]!,
  ];
  return `${encoding.row.name} ${opcode} [${marks.filter(Boolean).join(' ')}]`;
}
