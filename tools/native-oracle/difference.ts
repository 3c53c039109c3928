/** Says in what our answer differs from the oracle's. */

import { type Answer, indexOf, type Question } from './layout.js';

/** EFLAGS that count: all but IF (the host's), RF (an image of interrupts) and TF. */
const COMPARED_FLAGS = 0x4cd5;
const REGISTERS = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'];

const SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'];

const hex = (value: number): string => (value >>> 0).toString(16);
const bytes = (list: Uint8Array): string => [...list].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');

/** Empty when the answers mean the same; `ignored` flags may differ. */
export function describeDifference(question: Question, expected: Answer, actual: Answer, ignored: number): string {
  const found: string[] = [];
  const check = (name: string, a: number, b: number): void => {
    if (a !== b) found.push(`${name} ${hex(b)}, should be ${hex(a)}`);
  };
  check('vector', expected.vector, actual.vector);
  check('error code', expected.errorCode, actual.errorCode);
  check('cr2', expected.cr2, actual.cr2);
  check('eip', expected.eip, actual.eip);
  const flags = COMPARED_FLAGS & ~ignored;
  check('eflags', expected.eflags & flags, actual.eflags & flags);
  REGISTERS.forEach((name, i) => {
    check(name, expected.registers[i]!, actual.registers[i]!);
  });
  SEGMENTS.forEach((name, i) => {
    check(name, expected.selectors[i]!, actual.selectors[i]!);
  });
  if (expected.start !== actual.start || Buffer.compare(expected.changed, actual.changed) !== 0) {
    found.push(`memory ${describeChange(actual)}, should be ${describeChange(expected)}`);
  }
  if (expected.unit && actual.unit) {
    check('top', expected.unit.top, actual.unit.top);
    check('tags', expected.unit.tags, actual.unit.tags);
    for (let i = 0; i < 8; i++) {
      const [a, b] = [expected.unit, actual.unit].map((unit) => bytes(unit.registers.subarray(10 * i, 10 * i + 10)));
      if (a !== b) found.push(`mm${i} ${b}, should be ${a}`);
    }
  }
  return found.length === 0 ? '' : `  ${describeQuestion(question)}\n    ${found.join('; ')}`;
}

function describeChange(answer: Answer): string {
  return answer.changed.length === 0
    ? 'unchanged'
    : `@${hex(answer.start)}+${answer.changed.length} ${bytes(answer.changed.subarray(0, 16))}`;
}

function describeQuestion(question: Question): string {
  const registers = REGISTERS.map((name, i) => `${name}=${hex(question.registers[i]!)}`).join(' ');
  const patches = question.patches
    .map((patch) => `[${hex(patch.address)} @${hex(indexOf(patch.address))}]=${bytes(patch.bytes)}`)
    .join(' ');
  return `${bytes(question.code)} at ${hex(question.eip)} flags=${hex(question.eflags)} ${registers} ${patches}`;
}
