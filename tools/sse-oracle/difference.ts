/** Says in what our answer differs from the oracle's. */

import type { Answer, Question } from './layout.js';

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const REGISTERS = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'];

/** Approximations, whose last bits are each processor's own: RCPPS, RCPSS, RSQRTPS, RSQRTSS. */
const APPROXIMATIONS = /^r(cp|sqrt)[ps]s/;
/** The relative error of each approximation is at most 1.5 × 2^-12 (SDM vol. 2, RCPPS). */
const APPROXIMATION_ERROR = 3 * 2 ** -12;

/** The same number, or two that are both near enough to the true one. */
function areNear(a: Uint8Array, b: Uint8Array): boolean {
  const [x, y] = [a, b].map((bytes) => new DataView(bytes.buffer, bytes.byteOffset, 16)) as [DataView, DataView];
  return [0, 4, 8, 12].every((at) => {
    const [p, q] = [x.getFloat32(at, true), y.getFloat32(at, true)];
    return x.getUint32(at, true) === y.getUint32(at, true) || Math.abs(p - q) <= Math.abs(p) * APPROXIMATION_ERROR;
  });
}

/** `ignoredFlags`: what the instruction leaves undefined. */
export function difference(question: Question, expected: Answer, actual: Answer, ignoredFlags = 0): string {
  const found: string[] = [];
  const number = (what: string, a: number, b: number): void => {
    if (a !== b) found.push(`${what} ${b.toString(16)}, should be ${a.toString(16)}`);
  };
  const blocks = (what: string, a: Uint8Array, b: Uint8Array, size: number): void => {
    for (let i = 0; i < a.length / size; i++) {
      const [x, y] = [a, b].map((bytes) => bytes.subarray(size * i, size * i + size)) as [Uint8Array, Uint8Array];
      if (hex(x) === hex(y) || (size === 16 && APPROXIMATIONS.test(question.name) && areNear(x, y))) continue;
      found.push(`${what}${i} ${hex(y)}, should be ${hex(x)}`);
    }
  };
  number('vector', expected.vector, actual.vector);
  number('error code', expected.errorCode, actual.errorCode);
  number('cr2', expected.cr2, actual.cr2);
  number('mxcsr', expected.mxcsr, actual.mxcsr);
  number('eflags', expected.eflags & ~ignoredFlags, actual.eflags & ~ignoredFlags);
  number('top', expected.top, actual.top);
  number('tags', expected.tags, actual.tags);
  number('exponents', expected.exponents, actual.exponents);
  expected.registers.forEach((value, i) => {
    number(REGISTERS[i]!, value, actual.registers[i]!);
  });
  blocks('xmm', expected.xmm, actual.xmm, 16);
  blocks('mm', expected.mm, actual.mm, 8);
  if (hex(expected.memory) !== hex(actual.memory))
    found.push(`memory ${hex(actual.memory)}, should be ${hex(expected.memory)}`);
  return found.length === 0 ? '' : `${describe(question)}\n    ${found.join('; ')}`;
}

function describe({ name, code, xmm, mm, memory, mxcsr, registers, eflags }: Question): string {
  const list = (bytes: Uint8Array, size: number): string =>
    Array.from({ length: bytes.length / size }, (_, i) => hex(bytes.subarray(size * i, size * i + size))).join(' ');
  return (
    `${name}: ${hex(Uint8Array.from(code))} mxcsr=${mxcsr.toString(16)} eflags=${eflags.toString(16)} registers ` +
    `${[...registers].map((value) => value.toString(16)).join(' ')}\n    xmm ${list(xmm, 16)}\n` +
    `    mm ${list(new Uint8Array(mm.buffer), 8)}\n    memory ${hex(memory)}`
  );
}
