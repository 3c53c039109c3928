/** Makes up states of the unit, operands and instructions: every x87 encoding there is a row for. */

import { parseEncodings } from '../../src/isa/encoding.js';
import { X87_ROWS } from '../../src/isa/x87.js';
import { Dice } from '../x87-oracle/questions.js';
import { IMAGE_BYTES, isImage, MEMORY_BYTES, type Question } from './layout.js';

export interface Form {
  readonly name: string;
  readonly code: readonly number[];
}

const DEFAULT_MXCSR = 0x1f80;
/** ModRM rm field of [edi]. */
const AT_EDI = 7;

/** Every encoding; FWAIT is tested elsewhere, because it needs more than this. */
export function allForms(): Form[] {
  const forms: Form[] = [];
  for (const { row, map, opcode, digit, modrm, sized } of parseEncodings(X87_ROWS)) {
    if (row.unit === 'wait') continue;
    const second = modrm >= 0 ? modrm : (digit << 3) | AT_EDI;
    const name = `${row.name} ${opcode.toString(16)} ${second.toString(16)}`;
    forms.push({ name, code: [...(map === 1 ? [0x0f] : []), opcode, second] });
    if (sized) forms.push({ name: `${name} 66`, code: [0x66, opcode, second] });
  }
  return forms;
}

const TOP = 1n << 63n;
const SIGNIFICANDS = [0n, 1n, TOP, TOP | 1n, 2n * TOP - 1n, 3n << 62n, TOP | (1n << 40n), TOP | (1n << 11n)];

function pickSignificand(dice: Dice): bigint {
  const random = dice.long();
  const shape = dice.below(SIGNIFICANDS.length + 4);
  if (shape < SIGNIFICANDS.length) return SIGNIFICANDS[shape]!;
  return (
    [random, random | TOP, (random | TOP) & -(1n << 40n), (random | TOP) & -(1n << 11n)][shape - SIGNIFICANDS.length]! &
    (2n * TOP - 1n)
  );
}

/** Sign and exponent near zero, one, the limits of narrower formats, infinity, or anywhere. */
function pickExponent(dice: Dice): number {
  const centre = [0, 0, 0x7fff, 0x3fff - 126, 0x3fff + 127, 0x3fff - 1022, 0x3fff + 1023, 0x3fff + 62][dice.below(8)]!;
  const near = [centre, Math.max(0, Math.min(0x7fff, centre - 2 + dice.below(5)))];
  const exponent = [...near, 0x3fff - 3 + dice.below(20), 0x3fff - 70 + dice.below(140), dice.below(0x8000)];
  return dice.pick(exponent) | (dice.below(2) << 15);
}

function pickValue(dice: Dice): Uint8Array {
  const bytes = new Uint8Array(10);
  const view = new DataView(bytes.buffer);
  const exponent = pickExponent(dice);
  const anything = dice.below(4) === 0;
  const special = (exponent & 0x7fff) === 0 || anything;
  const significand = pickSignificand(dice);
  view.setBigUint64(0, special ? significand : significand | TOP, true);
  view.setUint16(8, exponent, true);
  return bytes;
}

/** Which registers are empty: about none, some, or half of them; of every kind often enough. */
function pickTags(dice: Dice, top: number): number {
  const kind = dice.below(3);
  let tags = 0;
  for (let register = 0; register < 8; register++) {
    const depth = (register - top) & 7;
    const empty = kind === 0 ? depth > 4 && dice.below(4) > 0 : kind === 1 ? dice.below(3) === 0 : depth >= 4;
    if (empty) tags |= 3 << (2 * register);
  }
  return tags;
}

/** A state without a pending exception. */
function makeImage(dice: Dice): Uint8Array {
  const image = new Uint8Array(IMAGE_BYTES);
  const view = new DataView(image.buffer);
  const masks = dice.below(3) === 0 ? dice.below(64) : 0x3f;
  const control = 0x40 | masks | (dice.below(16) << 8);
  const top = dice.below(8);
  const flags = dice.below(4) === 0 ? dice.below(128) & (masks | 0x40) : 0;
  const words = [control, (top << 11) | (dice.below(8) << 8) | (dice.below(2) << 14) | flags, pickTags(dice, top)];
  words.forEach((word, n) => {
    view.setUint32(4 * n, word | 0xffff_0000, true);
  });
  let value = pickValue(dice);
  for (let n = 0; n < 8; n++) {
    // Equal operands now and then.
    if (dice.below(8) > 0) value = pickValue(dice);
    image.set(value, 28 + 10 * n);
  }
  return image;
}

const EDGES32 = [0, 0x8000_0000, 1, 0x7f80_0000, 0xff80_0000, 0x7f80_0001, 0xffc0_0000, 0x3f80_0000, 0x80_0000];
const EDGES64 = EDGES32.map((bits) => {
  const exponent = (bits >>> 23) & 0xff;
  const wide = exponent === 0xff ? 0x7ff : exponent === 0 ? 0 : exponent + 1023 - 127;
  return (BigInt(bits >>> 31) << 63n) | (BigInt(wide) << 52n) | BigInt(bits & 0x7f_ffff);
});

/** Memory for an opcode: what it reads lies at its start, the rest is noise. */
function makeMemory(dice: Dice, code: readonly number[]): Uint8Array {
  const memory = Uint8Array.from({ length: MEMORY_BYTES }, () => dice.below(256));
  const view = new DataView(memory.buffer);
  const [opcode, modrm] = code[0] === 0x66 ? [code[1]!, code[2]!] : [code[0]!, code[1]!];
  const digit = modrm >> 3;
  if (modrm >= 0xc0) return memory;
  if (isImage(code)) {
    writeImage(dice, memory);
    return memory;
  }
  if ((opcode === 0xd9 || opcode === 0xdd) && digit === 4) writeState(dice, memory, code[0] === 0x66, opcode === 0xdd);
  else if (opcode === 0xdb && digit === 5) memory.set(pickValue(dice));
  else if (opcode === 0xdf && digit === 4)
    for (let n = 0; n < 9; n++) memory[n] = dice.below(10) | (dice.below(10) << 4);
  else if ((opcode & 6) === 0)
    view.setUint32(0, dice.below(2) ? dice.pick(EDGES32) : 0x3f80_0000 + dice.below(1 << 25), true);
  else if ((opcode & 6) === 4)
    view.setBigUint64(
      0,
      dice.below(2) ? dice.pick(EDGES64) : (0x3ffn << 52n) + (dice.long() & 0x3f_ffff_ffff_ffffn),
      true,
    );
  return memory;
}

/** A whole state for FXRSTOR (SDM vol. 2, table 3-43). */
function writeImage(dice: Dice, memory: Uint8Array): void {
  const view = new DataView(memory.buffer);
  view.setUint16(0, dice.below(0x1_0000), true);
  view.setUint16(2, dice.below(0x1_0000), true);
  view.setUint32(24, DEFAULT_MXCSR, true);
  for (let n = 0; n < 8; n++) memory.set(pickValue(dice), 32 + 16 * n);
}

/** An environment, or a whole state, for FLDENV and FRSTOR. */
function writeState(dice: Dice, memory: Uint8Array, narrow: boolean, whole: boolean): void {
  const image = makeImage(dice);
  const view = new DataView(image.buffer);
  // Exceptions may be pending, tags need not fit.
  const words = [view.getUint16(0, true), dice.below(0x1_0000), dice.below(0x1_0000)];
  const bytes = narrow ? 2 : 4;
  words.forEach((word, n) => {
    memory.set([word & 0xff, word >> 8], bytes * n);
  });
  if (whole) memory.set(image.subarray(28), narrow ? 14 : 28);
}

export function makeQuestion(dice: Dice, form: Form): Question {
  return {
    name: form.name,
    image: makeImage(dice),
    memory: makeMemory(dice, form.code),
    flags: 0x202 | (dice.below(0x1000) & 0x8d5),
    code: form.code,
  };
}

/** The same questions for the same numbers, on every machine. */
export function makeQuestions(casesPerForm: number, seed: number): Question[] {
  const dice = new Dice(seed);
  return allForms().flatMap((form) => Array.from({ length: casesPerForm }, () => makeQuestion(dice, form)));
}
