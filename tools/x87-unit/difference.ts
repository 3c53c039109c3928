import type { Answer, Question } from './layout.js';

/**
 * What is not compared exactly: results of these may differ in the last places and, with them, C1 and PE.
 * By opcode and ModRM: F2XM1 FYL2X FPTAN FPATAN FYL2XP1 FSINCOS FSIN FCOS.
 */
const TRANSCENDENTAL: readonly number[] = [0xd9f0, 0xd9f1, 0xd9f2, 0xd9f3, 0xd9f9, 0xd9fb, 0xd9fe, 0xd9ff];
const ROUNDING_STATUS = 0x0220;
const C1 = 0x0200;

/** FCOMI and FUCOMI clear C1 here, as the Intel manual has it; the recording processor leaves it alone. */
function comparesToFlags(opcode: number, modrm: number): boolean {
  return (opcode === 0xdb || opcode === 0xdf) && modrm >= 0xe8 && modrm < 0xf8;
}

/** The distance of two 80-bit values in units of the last place: as integers of exponent and significand. */
function distance(a: Uint8Array, b: Uint8Array): bigint {
  const order = (bytes: Uint8Array): bigint => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, 10);
    const exponent = BigInt(view.getUint16(8, true));
    return (exponent << 63n) | (view.getBigUint64(0, true) & ((1n << 63n) - 1n));
  };
  const by = order(a) - order(b);
  return by < 0n ? -by : by;
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Says how `actual` differs from `expected`, or '' if it does not. */
export function difference(question: Question, expected: Answer, actual: Answer): string {
  const [opcode, modrm] = question.code as [number, number];
  const transcendental = TRANSCENDENTAL.includes((opcode << 8) | modrm);
  const ignored = transcendental ? ROUNDING_STATUS : comparesToFlags(opcode, modrm) ? C1 : 0;
  const found: string[] = [];
  const compare = (what: string, a: number, b: number): void => {
    if (a !== b) found.push(`${what} ${b.toString(16)} for ${a.toString(16)}`);
  };
  compare('control', expected.control, actual.control);
  compare('status', expected.status & ~ignored, actual.status & ~ignored);
  compare('tags', expected.tags, actual.tags);
  compare('flags', expected.flags, actual.flags);
  compare('ax', expected.ax, actual.ax);
  for (let n = 0; n < 8; n++) {
    const a = expected.registers.subarray(10 * n, 10 * n + 10);
    const b = actual.registers.subarray(10 * n, 10 * n + 10);
    if (distance(a, b) > (transcendental ? 1n : 0n) || (!transcendental && hex(a) !== hex(b))) {
      found.push(`register ${n} ${hex(b)} for ${hex(a)}`);
    }
  }
  if (hex(expected.memory) !== hex(actual.memory))
    found.push(`memory ${hex(actual.memory)} for ${hex(expected.memory)}`);
  if (found.length === 0) return '';
  return `${question.name}, state ${hex(question.image)}, memory ${hex(question.memory.subarray(0, 16))}: ${found.join(', ')}`;
}
