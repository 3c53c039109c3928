import assert from 'node:assert/strict';
import test from 'node:test';
import { assemble } from '../../guest/assembler/index.js';
import { EXIT, type Processor } from '../../src/cpu/processor.js';
import type { TranslatorOptions } from '../../src/jit/index.js';
import { RAM_BASE } from '../../src/memory/layout.js';
import { createMachine } from '../cpu/machine-code.js';
import { AT_ONCE, attachTranslator } from './attach.js';

/** Calls, returns and jumps between regions, and functions inlined into them: the same as interpreted, to the count. */

const AT = 0x1000;
const STACK = 0x8_0000;

function machine(text: string): { cpu: Processor; symbols: ReadonlyMap<string, number> } {
  const { sections, symbols } = assemble([
    { name: 'test', text: `section .text physical=0x1000 virtual=0x1000\nstart:\n${text}` },
  ]);
  const cpu = createMachine(sections[0]!.bytes, { at: AT });
  cpu.state.registers[4] = STACK;
  return { cpu, symbols };
}

function finish(cpu: Processor, slice: number): string {
  while (cpu.state.retired < 1_000_000) {
    if (cpu.run(slice) === EXIT.budget) continue;
    break;
  }
  const { state, exit } = cpu;
  const memory = Buffer.from(cpu.memory.u8.subarray(RAM_BASE, RAM_BASE + (1 << 20))).toString('base64');
  return [...state.registers, state.eip, state.eflags, state.retired, exit.reason, exit.vector, memory].join();
}

/** Runs it, ended by INT3, in several ways; returns what EAX was in the end. */
function check(text: string, options: Partial<TranslatorOptions> = {}): number {
  const { cpu: plain } = machine(text);
  const expected = finish(plain, 1 << 16);
  assert.equal(plain.exit.vector, 3, text);
  for (const slice of [1 << 16, 7, 100]) {
    const { cpu } = machine(text);
    const translator = attachTranslator(cpu, { ...AT_ONCE, ...options });
    assert.equal(finish(cpu, slice), expected, text);
    assert.ok(translator.statistics().translated > 0);
  }
  return plain.state.registers[0]!;
}

/** Does `body` often. */
const often = (body: string): string => `
    mov esi, 200
again:
${body}
    dec esi
    jnz again
    int3
`;

test('a function that only reads its return address', () => {
  const value = check(`${often('call thunk\nadd ebx, 5\nadd eax, ebx')}
thunk:
    mov ebx, [esp]
    ret`);
  assert.notEqual(value, 0);
});

test('functions within functions, with several returns, called from two places', () => {
  check(`${often('mov ecx, esi\ncall outer\ncall odd\nadd eax, 3\ncall outer')}
outer:
    push ecx
    call odd
    call odd
    pop ecx
    ret
odd:
    test ecx, 1
    jz even
    add eax, ecx
    ret
even:
    xor eax, ecx
    inc ecx
    ret 0`);
});

test('a function that begins with a loop', () => {
  check(`${often('mov ecx, 5\ncall sum')}
sum:
    add eax, ecx
    dec ecx
    jnz sum
    ret`);
});

test('functions that return elsewhere, and clean up', () => {
  check(`${often('push 7\npush 8\ncall pops\ncall skips\nadd eax, 0x100\nadd eax, 1')}
pops:
    mov eax, [esp + 4]
    ret 8
skips:
    add dword [esp], 5
    ret`);
});

test('a return address that other code writes, through another register', () => {
  check(`${often('mov edi, esp\ncall sneaky\nadd eax, 0x100\nadd eax, 1')}
sneaky:
    add dword [edi - 4], 5
    ret`);
});

test('jumps through memory, as procedure linkage tables have', () => {
  check(`${often('call stub\ncall other\nadd eax, 1')}
stub:
    jmp dword [table]
other:
    jmp far_away
table:
    dd target
target:
    add eax, 10
    ret
far_away:
    add eax, 100
    ret`);
});

test('recursion, direct and through another function', () => {
  check(`${often('mov ecx, 6\ncall even\nmov ecx, 300\ncall deep')}
even:
    dec ecx
    jle done
    call odd
done:
    ret
odd:
    inc eax
    call even
    ret
deep:
    dec ecx
    jle done
    call deep
    inc eax
    ret`);
});

test('an inlined function is overwritten', () => {
  const text = `${often('call small\ncmp esi, 100\njne skip\nmov byte [small + 1], 2\nskip:\nadd edx, 1')}
small:
    mov edi, 0x1
    add eax, edi
    ret`;
  assert.equal(check(text), 101 + 99 * 2);
  assert.equal(check(text, { instructions: 3 }), 101 + 99 * 2);
});

test('small regions lead on to each other', () => {
  for (const instructions of [1, 2, 3, 5, 8])
    check(
      `${often('mov ecx, 4\nmore:\ncall outer\nloop more')}
outer:
    push ebx
    lea ebx, [eax + ecx]
    call inner
    pop ebx
    ret
inner:
    mov eax, ebx
    shr eax, 1
    jmp dword [where]
where:
    dd next
next:
    adc eax, 3
    ret`,
      { instructions },
    );
});

test('a function is inlined into itself', () => {
  const value = check(`
    mov eax, 15
    call fibonacci
    int3
fibonacci:
    cmp eax, 2
    jb small
    push ebx
    push eax
    dec eax
    call fibonacci
    mov ebx, eax
    pop eax
    sub eax, 2
    call fibonacci
    add eax, ebx
    pop ebx
small:
    ret`);
  assert.equal(value, 610);
});
