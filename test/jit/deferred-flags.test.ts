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

const PROGRAM = `
    mov ebp, 20
begin:
${SETTERS.map(part).join('\n')}
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
