import assert from 'node:assert/strict';
import test from 'node:test';
import { assemble } from '../../guest/assembler/index.js';
import { EXIT, type Processor } from '../../src/cpu/processor.js';
import { createMachine } from '../cpu/machine-code.js';
import { AT_ONCE, attachTranslator } from './attach.js';

/** Flags that one block leaves to the next: they are right wherever the guest is stopped. */

const SETTERS = [
  'cmp eax, ecx',
  'add eax, ecx',
  'sub al, cl',
  'add ah, cl',
  'cmp ax, cx',
  'add ax, 0x7fff',
  'test eax, ecx',
  'neg eax',
  'inc eax',
  'shl eax, 3',
  'adc eax, ecx',
  'cmp byte [0x8000], 0',
];

/** Each sets the flags, and the block behind it asks for them, or keeps them, or sets them anew. */
function part(setter: string, i: number): string {
  return `
part${i}:
    mov edx, 3
again${i}:
    imul ecx, ecx, 0x19660d
    add ecx, 0x3c6ef35f
    ${setter}
    jp even${i}
    mov [0x8000], al
    setc bl
    adc esi, 0
even${i}:
    setl bh
    mov [0x8004], ebx
    jo over${i}
    sbb edi, ecx
over${i}:
    dec edx
    jnz again${i}`;
}

const LOGIC = ['test eax, ecx', 'and al, cl', 'xor ax, cx', 'or al, 0x80'];
const ARITHMETIC = ['cmp eax, ecx', 'add al, cl', 'cmp ax, cx', 'add eax, ecx'];

/** Where two ways meet, the flags are those of an AND or the like, or of a sum or difference. */
function meeting(logic: string, arithmetic: string, i: number): string {
  return `
    mov edx, 3
twice${i}:
    imul ecx, ecx, 0x19660d
    add ecx, 0x3c6ef35f
    ${i & 1 ? logic : arithmetic}
    jp meet${i}
    mov eax, ecx
    ${i & 1 ? arithmetic : logic}
meet${i}:
    mov [0x8008], eax
    jle beyond${i}
    adc esi, 0
    setp bl
beyond${i}:
    mov [0x800c], ebx
    dec edx
    jnz twice${i}`;
}

const MEETINGS = LOGIC.flatMap((logic) => ARITHMETIC.map((arithmetic) => [logic, arithmetic] as const));

const PROGRAM = `
    mov ebp, 6
begin:
${SETTERS.map(part).join('\n')}
${MEETINGS.flatMap(([logic, arithmetic], i) => [0, 1].map((k) => meeting(logic, arithmetic, 2 * i + k))).join('\n')}
    dec ebp
    jnz begin
    int3
`;

function machine(): Processor {
  const { sections } = assemble([{ name: 'test', text: `section .text physical=0x1000 virtual=0x1000\n${PROGRAM}` }]);
  return createMachine(sections[0]!.bytes, { at: 0x1000 });
}

for (const slice of [1, 3, 17, 101]) {
  test(`stopped every ${slice} instructions, the flags are what they have to be`, () => {
    const interpreted = machine();
    const translated = machine();
    attachTranslator(translated, AT_ONCE);
    for (let reason: number = EXIT.budget; reason === EXIT.budget; ) {
      reason = interpreted.run(slice);
      assert.equal(translated.run(slice), reason);
      const [a, b] = [interpreted.state, translated.state];
      assert.deepEqual([...b.registers, b.eip, b.retired, b.eflags], [...a.registers, a.eip, a.retired, a.eflags]);
    }
  });
}
