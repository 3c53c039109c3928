/**
 * What the native oracle and the replay agree on: where memory lies, which segments exist, and the bytes of
 * a question and an answer. `oracle.c` has the same numbers.
 *
 * Linear memory of a test; everything else faults:
 *
 * | from | bytes | holds |
 * |---|---|---|
 * | `CODE_LOW`, `CODE_HIGH` | a page each | the instruction; INT3 (CC) everywhere else |
 * | `DATA_LOW`, `DATA_HIGH` | `WINDOW` each | `baseline`, patched by the question |
 * | `READ_ONLY` | a page | the rest of `baseline`; behind `DATA_HIGH` |
 */
export const PAGE = 0x1000;
export const WINDOW = 0x2000;
export const CODE_LOW = 0x4000;
export const CODE_HIGH = 0x1000_0000;
export const DATA_LOW = 0x8000;
export const DATA_HIGH = 0x2000_0000;
export const READ_ONLY = DATA_HIGH + WINDOW;

/** A segment register as the oracle's kernel would load it. */
export interface TestSegment {
  readonly selector: number;
  readonly base: number;
  /** Bytes. */
  readonly limit: number;
  /** Layout of `SEGMENT.access`. */
  readonly access: number;
}

const DATA = 0xf300;
const DATA_READ_ONLY = 0xf100;
const EXPAND_DOWN = 0xf700;
const CODE = 0xfb00;
const CODE_EXECUTE_ONLY = 0xf900;
const CONFORMING = 0xff00;
const PRESENT = 0x8000;
const BIG = 0x40_0000;
const LONG = 0x20_0000;
const GRANULAR = 0x80_0000;
/** Ring 3. */
const DPL = 0x6000;

function segment(selector: number, base: number, limit: number, access: number): TestSegment {
  return { selector, base, limit, access };
}

const ALL = 0xffff_ffff;
const FLAT_DATA = segment(0x2b, 0, ALL, DATA | BIG | GRANULAR);
const FLAT_CODE = segment(0x23, 0, ALL, CODE | BIG | GRANULAR);
const NULL_SEGMENT = segment(0, 0, 0, 0);

/** What 64-bit Linux has in its GDT for 32-bit programs, as far as tests name it. */
export const GDT: readonly TestSegment[] = [
  segment(0x08, 0, ALL, (CODE | BIG | GRANULAR) & ~DPL),
  segment(0x10, 0, ALL, (CODE | LONG | GRANULAR) & ~DPL),
  segment(0x18, 0, ALL, (DATA | BIG | GRANULAR) & ~DPL),
  FLAT_CODE,
  FLAT_DATA,
];
/** Bytes. Behind the segments named above are some that no test may name. */
export const GDT_LIMIT = 0x7f;

/** Selectors are index × 8 + 7. */
export const LDT: readonly TestSegment[] = [
  segment(0x07, 0x3000, ALL, DATA | BIG | GRANULAR),
  segment(0x0f, DATA_HIGH, 0x17ff, DATA | BIG),
  segment(0x17, CODE_HIGH, 0xfff, CODE | BIG),
  segment(0x1f, DATA_HIGH, 0x1fff, DATA | BIG),
  segment(0x27, DATA_HIGH + WINDOW, 0xffff_efff, EXPAND_DOWN | BIG | GRANULAR),
  segment(0x2f, DATA_HIGH, ALL, DATA_READ_ONLY | BIG | GRANULAR),
  segment(0x37, 0x3000, 0xffff, CODE),
  segment(0x3f, 0, 0xffff, DATA),
  segment(0x47, DATA_HIGH, 0xffff, DATA),
  segment(0x4f, DATA_HIGH, ALL, CODE_EXECUTE_ONLY | BIG | GRANULAR),
  segment(0x57, DATA_HIGH - PAGE, 0x2fff, DATA | BIG),
  segment(0x5f, DATA_HIGH, ALL, (DATA | BIG | GRANULAR) & ~PRESENT),
  segment(0x67, CODE_HIGH, 0xfff, (CONFORMING | BIG) & ~PRESENT),
];

/** Selectors of ES CS SS DS FS GS in each mode. */
const SELECTORS: readonly (readonly number[])[] = [
  [0x2b, 0x23, 0x2b, 0x2b, 0x07, 0x0f],
  [0x57, 0x17, 0x27, 0x1f, 0x2f, 0x00],
  [0x47, 0x37, 0x3f, 0x3f, 0x0f, 0x2f],
  [0x2b, 0x23, 0x3f, 0x2b, 0x07, 0x0f],
];

/** ES CS SS DS FS GS of each mode: flat; segmented; 16-bit code; 32-bit code with a 16-bit stack. */
export const MODES: readonly (readonly TestSegment[])[] = SELECTORS.map((selectors) =>
  selectors.map((selector) => [FLAT_CODE, FLAT_DATA, ...LDT].find((s) => s.selector === selector) ?? NULL_SEGMENT),
);
export const MODE_FLAT = 0;
export const MODE_SEGMENTED = 1;
export const MODE_CODE16 = 2;
export const MODE_STACK16 = 3;

/** What the data windows and the read-only page hold before every test. */
export function createBaseline(): Uint8Array {
  const bytes = new Uint8Array(2 * WINDOW + PAGE);
  let x = 0x12345678;
  for (let i = 0; i < bytes.length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    bytes[i] = x >>> 24;
  }
  return bytes;
}

/** Index in `baseline` of a linear address in a data window. */
export function indexOf(linear: number): number {
  return linear < DATA_HIGH ? linear - DATA_LOW : linear - DATA_HIGH + WINDOW;
}

export interface Patch {
  /** Linear address in a data window. */
  readonly address: number;
  /** At most 16. */
  readonly bytes: Uint8Array;
}

/** The x87 and MMX registers before a test. */
export interface UnitState {
  readonly top: number;
  /** Bit n set: physical register n is in use. */
  readonly tags: number;
  /** Significands by physical register; sign and exponent are 3fff. */
  readonly registers: BigUint64Array;
}

/** One instruction and everything it can see. */
export interface Question {
  readonly code: Uint8Array;
  /** Index in `MODES`. */
  readonly mode: number;
  /** Offset in CS, and the same as a linear address. */
  readonly eip: number;
  readonly codeAddress: number;
  /** Of 0xcd5 (arithmetic flags and DF). */
  readonly eflags: number;
  readonly registers: Uint32Array;
  readonly patches: readonly Patch[];
  readonly unit?: UnitState;
}

export const QUESTION_BYTES = 176;

export function writeQuestion(bytes: Uint8Array, at: number, question: Question): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, QUESTION_BYTES);
  view.setUint8(0, question.code.length);
  view.setUint8(1, question.mode);
  view.setUint32(4, question.eip, true);
  view.setUint32(8, question.eflags, true);
  view.setUint32(12, question.codeAddress, true);
  question.registers.forEach((value, i) => {
    view.setUint32(16 + 4 * i, value, true);
  });
  bytes.set(question.code, at + 48);
  question.patches.forEach((patch, i) => {
    view.setUint8(2 + i, patch.bytes.length);
    view.setUint32(64 + 20 * i, patch.address, true);
    bytes.set(patch.bytes, at + 68 + 20 * i);
  });
  const { unit } = question;
  if (!unit) return;
  view.setUint8(104, 1);
  view.setUint8(105, unit.top);
  view.setUint8(106, unit.tags);
  unit.registers.forEach((value, i) => {
    view.setBigUint64(112 + 8 * i, value, true);
  });
}

/** How a test ended. */
export interface Answer {
  /** Vector of the exception; 3 is the INT3 behind the instruction: all went well. */
  vector: number;
  errorCode: number;
  cr2: number;
  eip: number;
  eflags: number;
  registers: Uint32Array;
  /** ES CS SS DS FS GS. */
  selectors: Uint16Array;
  unit: UnitAnswer | undefined;
  /** Changed bytes of the data windows, from index `start` on. */
  start: number;
  changed: Uint8Array;
}

export interface UnitAnswer {
  /** TOP of the status word. */
  top: number;
  /** As `UnitState.tags`. */
  tags: number;
  /** Physical registers, 10 bytes each. */
  registers: Uint8Array;
}

const ANSWER_BYTES = 152;
const HAS_ERROR_CODE = new Set([10, 11, 12, 13, 14, 17]);

/** Reads the answer at `at`; `next` is where the following one starts. */
export function readAnswer(bytes: Uint8Array, at: number, withUnit: boolean): { answer: Answer; next: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at);
  const vector = view.getUint8(0);
  const length = view.getUint16(138, true);
  const registers = new Uint32Array(8);
  for (let i = 0; i < 8; i++) registers[i] = view.getUint32(20 + 4 * i, true);
  const answer: Answer = {
    vector,
    errorCode: HAS_ERROR_CODE.has(vector) ? view.getUint32(4, true) : 0,
    cr2: vector === 14 ? view.getUint32(8, true) : 0,
    eip: view.getUint32(12, true) - (vector === 3 ? 1 : 0),
    eflags: view.getUint32(16, true),
    registers,
    selectors: Uint16Array.from({ length: 6 }, (_, i) => view.getUint16(140 + 2 * i, true)),
    unit: withUnit ? readUnit(bytes, at, view) : undefined,
    start: length === 0 ? 0 : view.getUint16(136, true),
    changed: bytes.slice(at + ANSWER_BYTES, at + ANSWER_BYTES + length),
  };
  return { answer, next: at + ((ANSWER_BYTES + length + 3) & ~3) };
}

function readUnit(bytes: Uint8Array, at: number, view: DataView): UnitAnswer {
  const top = (view.getUint16(52, true) >> 11) & 7;
  const tagWord = view.getUint16(54, true);
  const registers = new Uint8Array(80);
  let tags = 0;
  for (let physical = 0; physical < 8; physical++) {
    if (((tagWord >> (2 * physical)) & 3) !== 3) tags |= 1 << physical;
    const st = at + 56 + 10 * ((physical - top) & 7);
    registers.set(bytes.subarray(st, st + 10), 10 * physical);
  }
  return { top, tags, registers };
}
