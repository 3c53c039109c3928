import { type Answer, DATA_PAGES, NO_END, type Question } from './layout.js';

const ARITHMETIC_FLAGS = 0x8d5;

/** Whether the two modes mean the same by this program: one that reached beyond 4 GiB would have wrapped. */
export function isComparable(native: Answer): boolean {
  return native.vector !== NO_END && native.cr2 <= 0xffff_ffff;
}

/** What is compared, by name. */
function facts(answer: Answer, undefinedFlags: number): Record<string, string> {
  const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const names = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'];
  const found: Record<string, string> = {};
  // What flags an instruction that faults leaves behind depends on the processor.
  const flags = answer.vector === 3 ? ARITHMETIC_FLAGS & ~undefinedFlags : 0;
  names.forEach((name, i) => {
    found[name] = (answer.registers[i]! >>> 0).toString(16);
  });
  found['flags'] = (answer.eflags & flags).toString(16);
  for (const name of ['eip', 'vector', 'error', 'cr2', 'control', 'status', 'tags', 'mxcsr'] as const) {
    // The error code of INT3 is none.
    if (name !== 'error' || answer.vector !== 3) found[name] = (answer[name] >>> 0).toString(16);
  }
  for (let i = 0; i < 8; i++) found[`st${i}`] = hex(answer.st.subarray(10 * i, 10 * i + 10));
  for (let i = 0; i < 8; i++) found[`xmm${i}`] = hex(answer.xmm.subarray(16 * i, 16 * i + 16));
  return found;
}

/** Says how `actual` differs from `expected`, or '' if it does not. */
export function difference(question: Question, expected: Answer, actual: Answer): string {
  const [theirs, ours] = [facts(expected, question.undefinedFlags), facts(actual, question.undefinedFlags)];
  const found = Object.keys(theirs)
    .filter((name) => theirs[name] !== ours[name])
    .map((name) => `${name} ${ours[name]} for ${theirs[name]}`);
  const at = expected.data.findIndex((byte, i) => byte !== actual.data[i]);
  if (at >= 0)
    found.push(
      `[${(DATA_PAGES + at).toString(16)}] ${actual.data[at]!.toString(16)} for ${expected.data[at]!.toString(16)}`,
    );
  return found.join(', ');
}

/** FNV-1a over everything that is compared. */
export function checkSum(question: Question, answer: Answer): number {
  let sum = 0x811c_9dc5;
  const mix = (byte: number): void => {
    sum = Math.imul(sum ^ byte, 0x0100_0193);
  };
  for (const byte of new TextEncoder().encode(Object.values(facts(answer, question.undefinedFlags)).join())) mix(byte);
  for (const byte of answer.data) mix(byte);
  return sum >>> 0;
}
