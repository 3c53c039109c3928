/** Compares an answer of the processor with one of `src/fpu`, and puts both into words. */

import { operations } from './replay.js';

export interface Difference {
  /** Empty if the answers agree, up to the last place where that is allowed. */
  readonly text: string;
  /** They agree only because a transcendental result may be off by one unit in the last place. */
  readonly lastPlace: boolean;
}

const agree: Difference = { text: '', lastPlace: false };

export function difference(question: Uint8Array, expected: Uint8Array, actual: Uint8Array): Difference {
  const { name, transcendental } = operations[question[0]!]!;
  const usesFlags = name.endsWith('comi');
  // FCOMI and FUCOMI clear C1 on Intel processors and leave it alone on AMD ones; we clear it.
  const statusMask = usesFlags ? ~0x0200 : ~0;
  if (
    same(expected, actual, 0, 10) &&
    ((status(expected) ^ status(actual)) & statusMask) === 0 &&
    same(expected, actual, 14, 34) &&
    (!usesFlags || same(expected, actual, 34, 36))
  )
    return agree;
  if (transcendental && agreesClosely(expected, actual)) return { text: '', lastPlace: true };
  const text =
    `${name} cw=${hex(question, 2, 4)} cc=${question[1]!.toString(16)} ` +
    `${real(question, 4)} ${hex(question, 14, 24)}\n  cpu  ${describe(expected)}\n  ours ${describe(actual)}`;
  return { text, lastPlace: false };
}

function same(a: Uint8Array, b: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (a[i] !== b[i]) return false;
  return true;
}

function status(answer: Uint8Array): number {
  return answer[10]! | (answer[11]! << 8);
}

/** Registers within one unit in the last place, status equal but for C1. */
function agreesClosely(a: Uint8Array, b: Uint8Array): boolean {
  return ((status(a) ^ status(b)) & ~0x0200) === 0 && close(a, b, 14) && close(a, b, 24);
}

function close(a: Uint8Array, b: Uint8Array, offset: number): boolean {
  const gap = magnitude(a, offset) - magnitude(b, offset);
  return a[offset + 9]! >> 7 === b[offset + 9]! >> 7 && gap >= -1n && gap <= 1n;
}

/** Neighbouring values have neighbouring magnitudes, across powers of two as well. */
function magnitude(bytes: Uint8Array, offset: number): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, 10);
  const exponent = BigInt(view.getUint16(8, true) & 0x7fff);
  return (exponent << 63n) + BigInt.asUintN(63, view.getBigUint64(0, true));
}

function hex(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.subarray(from, to)).reverse().toString('hex');
}

function real(bytes: Uint8Array, offset: number): string {
  return `${hex(bytes, offset + 8, offset + 10)}:${hex(bytes, offset, offset + 8)}`;
}

function describe(answer: Uint8Array): string {
  return `sw=${hex(answer, 10, 12)} st0=${real(answer, 14)} st1=${real(answer, 24)} mem=${hex(answer, 0, 10)} fl=${hex(answer, 34, 36)}`;
}
