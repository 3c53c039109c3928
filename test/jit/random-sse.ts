import type { RandomNumbers } from './random-numbers.js';

/** Random SSE code, and numbers in memory for it on which something happens. */

/** Where the numbers are: `NUMBERS` vectors of 16 bytes; behind them values of MXCSR. */
export const NUMBERS_AT = 0xf400;
const NUMBERS = 48;
const MODES_AT = NUMBERS_AT + 16 * NUMBERS;
const MODES = 16;
export const NUMBER_BYTES = 16 * NUMBERS + 4 * MODES;

const NONE = -1;
const REP = 0xf3;
const REPNE = 0xf2;
const SIZE = 0x66;

/** [prefix, opcode behind 0F, bytes of the memory operand] */
type Operation = readonly [number, number, number];

function everyKind(...opcodes: number[]): Operation[] {
  return opcodes.flatMap((opcode): Operation[] => [
    [NONE, opcode, 16],
    [SIZE, opcode, 16],
    [REP, opcode, 4],
    [REPNE, opcode, 8],
    // Scalar doubles are what programs compute with.
    [REPNE, opcode, 8],
  ]);
}
const of = (prefix: number, bytes: number, ...opcodes: number[]): Operation[] =>
  opcodes.map((opcode) => [prefix, opcode, bytes]);

const ARITHMETIC: readonly Operation[] = everyKind(0x58, 0x59, 0x5c, 0x5e, 0x51, 0x5d, 0x5f, 0x58, 0x59, 0x5c, 0x59);
// biome-ignore format: table
const OTHER: readonly Operation[] = [
  ...everyKind(0x10, 0x5a),
  ...of(NONE, 4, 0x2e, 0x2f), ...of(SIZE, 8, 0x2e, 0x2f),
  ...of(NONE, 16, 0x28, 0x54, 0x55, 0x56, 0x57, 0x14, 0x15, 0x5b),
  ...of(SIZE, 16, 0x28, 0x6f, 0x54, 0x57, 0x14, 0x15, 0xe6, 0x5b, 0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68,
    0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x74, 0x75, 0x76, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd,
    0xde, 0xdf, 0xe0, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe8, 0xe9, 0xea, 0xeb, 0xec, 0xed, 0xee, 0xef, 0xf1, 0xf2, 0xf3,
    0xf4, 0xf5, 0xf6, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe),
  ...of(REP, 16, 0x6f, 0x5b, 0x12, 0x16), ...of(REP, 8, 0x7e, 0xe6), ...of(REPNE, 16, 0xe6, 0xd0, 0x7c),
  ...of(REPNE, 8, 0x12),
];
/** [prefix, opcode, whether the operand has to be memory] with an immediate. */
const WITH_IMMEDIATE: readonly Operation[] = [
  ...everyKind(0xc2),
  ...of(SIZE, 16, 0x70, 0xc6),
  ...of(REP, 16, 0x70),
  ...of(REPNE, 16, 0x70),
  ...of(NONE, 16, 0xc6),
];
const BYTE_SHUFFLES = [0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x1c, 0x1d, 0x1e];
const MODE_VALUES = [
  0x1f80, 0x1f80, 0x1fa0, 0x1fa0, 0x1fa0, 0x1fbf, 0x3f80, 0x5fa0, 0x7fa0, 0x9fa0, 0x1fe0, 0x9fc0, 0x1fa2,
];

function double(random: RandomNumbers): number {
  const integer = random.below(64) - 16;
  switch (random.below(12)) {
    case 0:
      return 0;
    case 1:
      return random.pick([Infinity, -Infinity, NaN, -0, 2 ** -1022, 2 ** -1074, 2 ** 1023, 1.5 * 2 ** -1023]);
    case 2:
      return integer * 2 ** (random.below(2000) - 1000);
    case 3:
    case 4:
    case 5:
      return integer;
    default:
      return (random.next() / 2 ** 31) * 2 ** random.below(8);
  }
}

/** The numbers and modes: doubles, singles or anything. */
export function randomNumbers(random: RandomNumbers): Uint8Array {
  const bytes = new Uint8Array(NUMBER_BYTES);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < NUMBERS; i++) {
    const kind = i % 8;
    for (let j = 0; j < 4; j++) {
      if (kind === 7) view.setInt32(16 * i + 4 * j, random.next(), true);
      else if (kind >= 4) view.setFloat32(16 * i + 4 * j, double(random), true);
      else if (j < 2) view.setFloat64(16 * i + 8 * j, double(random), true);
    }
  }
  for (let i = 0; i < MODES; i++) view.setUint32(16 * NUMBERS + 4 * i, randomMode(random), true);
  return bytes;
}

/** A value of MXCSR, with all exceptions masked nearly always. */
export function randomMode(random: RandomNumbers): number {
  return random.chance(3) ? 0x1f80 & ~(0x80 << random.below(6)) : random.pick(MODE_VALUES);
}

/** One or a few instructions. Stores go to the vectors of numbers too; those lie `base` bytes higher. */
export function randomSse(random: RandomNumbers, base = 0): number[] {
  const code: number[] = [];
  const word = (value: number): void => {
    for (let i = 0; i < 32; i += 8) code.push((value >> i) & 0xff);
  };
  const absolute = (reg: number, bytes: number, first = 0): void => {
    // Without SIB it would be relative to RIP in 64-bit mode.
    code.push((reg << 3) | 4, 0x25);
    const within = bytes === 16 ? 0 : bytes * random.below(16 / bytes);
    word(base + NUMBERS_AT + 16 * (first + random.below(NUMBERS - first)) + (random.chance(97) ? within : within + 2));
  };
  const operand = (reg: number, bytes: number): void => {
    if (random.chance(60)) code.push(0xc0 | (reg << 3) | random.below(8));
    else absolute(reg, bytes);
  };
  const opcode = (prefix: number, ...bytes: number[]): void => {
    if (prefix !== NONE) code.push(prefix);
    code.push(0x0f, ...bytes);
  };
  const kind = random.below(40);
  const register = random.below(8);
  if (kind < 18) {
    for (let count = 1 + random.below(5); count > 0; count--) {
      const [prefix, number, bytes] = random.pick(ARITHMETIC);
      opcode(prefix, number);
      operand(random.below(8), bytes);
    }
  } else if (kind < 28) {
    const [prefix, number, bytes] = random.pick(OTHER);
    opcode(prefix, number);
    operand(register, bytes);
  } else if (kind < 31) {
    const [prefix, number, bytes] = random.pick(WITH_IMMEDIATE);
    opcode(prefix, number);
    operand(register, bytes);
    code.push(random.below(256));
  } else if (kind < 34) {
    // Stores; those of 16 bytes are aligned or not.
    const [prefix, number, bytes] = random.pick<Operation>([
      [REPNE, 0x11, 8],
      [REP, 0x11, 4],
      [NONE, 0x29, 16],
      [SIZE, 0x7f, 16],
      [REP, 0x7f, 16],
      [SIZE, 0xd6, 8],
      [SIZE, 0x17, 8],
      [NONE, 0x13, 8],
    ]);
    opcode(prefix, number);
    absolute(register, bytes);
  } else if (kind === 34) {
    // To and from general registers: EAX, ECX, EDX.
    const [prefix, number] = random.pick([
      [SIZE, 0x6e],
      [SIZE, 0x7e],
      [REPNE, 0x2a],
      [REP, 0x2a],
    ] as const);
    opcode(prefix, number);
    code.push(0xc0 | (register << 3) | random.below(3));
  } else if (kind === 35) {
    const [prefix, number] = random.pick([
      [SIZE, 0xd7],
      [SIZE, 0x50],
      [NONE, 0x50],
      [REPNE, 0x2c],
      [REP, 0x2c],
      [REPNE, 0x2d],
    ] as const);
    opcode(prefix, number);
    code.push(0xc0 | (random.below(3) << 3) | register);
  } else if (kind === 36) {
    const shift = random.pick([0x71, 0x72, 0x73]);
    opcode(SIZE, shift);
    code.push(0xc0 | (random.pick(shift === 0x73 ? [2, 3, 6, 7] : [2, 4, 6]) << 3) | register, random.below(20));
  } else if (kind === 37) {
    opcode(SIZE, 0x38, random.pick(BYTE_SHUFFLES));
    operand(register, 16);
  } else if (kind === 38) {
    if (random.chance(50)) {
      opcode(SIZE, 0x3a, 0x0f);
      operand(register, 16);
    } else {
      opcode(SIZE, random.pick([0xc4, 0xc5]));
      code.push(0xc0 | (random.below(3) << 3) | random.below(3));
    }
    code.push(random.below(40));
  } else {
    // LDMXCSR
    opcode(NONE, 0xae);
    code.push(0x14, 0x25);
    word(base + MODES_AT + 4 * random.below(MODES));
  }
  return code;
}
