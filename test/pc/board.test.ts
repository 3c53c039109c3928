import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assemble } from '../../guest/assembler/index.js';
import { VirtualMachine, type VirtualMachineOptions } from '../../src/vm/index.js';

const HEADER = `section .text physical=0x100000 virtual=0x100000
    dd 0x1BADB002, 0, 0xE4524FFE
start:
`;

/** A Multiboot kernel made of this code, which ends the machine by writing to port 0xF4. */
function kernelOf(code: string): Uint8Array {
  return assemble([{ name: 'kernel', text: HEADER + code }], { entry: 'start' }).elf;
}

async function runKernel(code: string, options: Partial<VirtualMachineOptions> = {}) {
  const vm = await VirtualMachine.create({
    kernel: kernelOf(code),
    memory: 16,
    clock: 'virtual',
    debugExitPort: 0xf4,
    maxInstructions: 5_000_000,
    ...options,
  });
  let output = '';
  vm.on('output', (bytes) => {
    output += new TextDecoder().decode(bytes);
  });
  let restarts = 0;
  vm.on('restart', () => {
    if (++restarts === 2) void vm.stop();
  });
  vm.run();
  return { vm, ending: await vm.ended, output, restarts };
}

const EXIT = (value: number): string => `mov al, ${value}\n out 0xF4, al\n`;

test('Multiboot: magic, command line, memory map, module', async () => {
  const code = `
    cmp eax, 0x2BADB002
    jne bad
    mov esi, [ebx + 16]
    cmp dword [esi], 0x6C6C6568         ; "hell"
    jne bad
    cmp dword [ebx + 8], 15 * 1024
    jne bad
    cmp dword [ebx + 20], 1
    jne bad
    mov esi, [ebx + 24]
    mov esi, [esi]
    cmp dword [esi], 0x64636261
    jne bad
${EXIT(3)}
bad:
${EXIT(4)}`;
  const initrd = new TextEncoder().encode('abcdef');
  const { ending, vm } = await runKernel(code, { append: 'hello', initrd });
  assert.equal(ending.exitStatus, 7);
  assert.equal(vm.board, 'pc');
});

test('a processor that halts with interrupts off is a power-off', async () => {
  const { ending } = await runKernel('cli\n hlt');
  assert.equal(ending.reason, 'power-off');
});

for (const [name, code] of Object.entries({
  'keyboard controller': 'mov al, 0xFE\n out 0x64, al\n jmp $',
  'reset register': 'mov edx, 0xCF9\n mov al, 6\n out dx, al\n jmp $',
  'triple fault with no interrupt table': 'lidt [none]\n int3\nnone: dw 0\n dd 0',
})) {
  test(`restart by ${name}`, async () => {
    assert.equal((await runKernel(code.replace('jmp $', 'here: jmp here'))).restarts, 2);
  });
}

test('a triple fault of a broken kernel ends it', async () => {
  const { ending } = await runKernel('lidt [bad]\n int3\nbad: dw 0x7FF\n dd 0x400000');
  assert.deepEqual([ending.reason, ending.text.slice(0, 15)], ['killed', 'triple fault at']);
});

test('KVM: signature, and a clock that is the time-stamp counter', async () => {
  const code = `
    mov eax, 0x40000000
    cpuid
    cmp ebx, 0x4B4D564B
    jne bad
    mov ecx, 0x4B564D01
    mov eax, 0x200001
    xor edx, edx
    wrmsr
    cmp dword [0x200018], 0x80000000
    jne bad
    cmp word [0x20001C], 0x0101
    jne bad
${EXIT(0)}
bad:
${EXIT(1)}`;
  assert.equal((await runKernel(code)).ending.exitStatus, 1);
});

test('PCI: the host bridge and the console behind it', async () => {
  const code = `
    mov edx, 0xCF8
    mov eax, 0x80000000
    out dx, eax
    mov edx, 0xCFC
    in eax, dx
    cmp eax, 0x00081B36
    jne bad
    mov edx, 0xCF8
    mov eax, 0x80000800
    out dx, eax
    mov edx, 0xCFC
    in eax, dx
    cmp eax, 0x10431AF4
    jne bad
${EXIT(0)}
bad:
${EXIT(1)}`;
  assert.equal((await runKernel(code)).ending.exitStatus, 1);
});

/** A kernel that ticks a thousand times a second, sleeps in between and prints a dot every tenth tick. */
const TICKING = `
    lgdt [gdt_pointer]
    mov dword [0x200100], 0x00080000 + (tick & 0xFFFF)
    mov dword [0x200104], (tick & 0xFFFF0000) + 0x8E00
    lidt [idt_pointer]
    jmp 8:flat
flat:
    mov eax, 16
    mov ss, ax
    mov ds, ax
    mov esp, 0x300000
    mov al, 0x11
    out 0x20, al
    mov al, 0x20
    out 0x21, al
    mov al, 4
    out 0x21, al
    mov al, 1
    out 0x21, al
    mov al, 0xFE
    out 0x21, al
    mov al, 0x34
    out 0x43, al
    mov al, 0xA9
    out 0x40, al
    mov al, 0x04
    out 0x40, al
    xor ecx, ecx
sleep:
    sti
    hlt
    cmp ecx, 50
    jb sleep
${EXIT(5)}
tick:
    inc ecx
    mov al, 0x20
    out 0x20, al
    mov eax, ecx
    xor edx, edx
    mov ebx, 10
    div ebx
    test edx, edx
    jnz quiet
    mov al, '.'
    mov edx, 0x3F8
    out dx, al
quiet:
    iret
align 8
gdt:
    dd 0, 0, 0x0000FFFF, 0x00CF9A00, 0x0000FFFF, 0x00CF9200
gdt_pointer:
    dw 23
    dd gdt
idt_pointer:
    dw 0x7FF
    dd 0x200000
`;

test('timer interrupts wake a sleeping guest; two runs with the virtual clock are the same', async () => {
  const first = await runKernel(TICKING);
  const second = await runKernel(TICKING);
  assert.equal(first.output, '.....');
  assert.equal(first.ending.exitStatus, 11);
  assert.equal(first.vm.stats().interrupts['0'], 50);
  assert.equal(first.vm.instructions, second.vm.instructions);
  assert.deepEqual(first.vm.save().machine, second.vm.save().machine);
});

test('a snapshot goes on where it was taken', async () => {
  const options = { kernel: kernelOf(TICKING), memory: 16, clock: 'virtual', debugExitPort: 0xf4 } as const;
  const half = await VirtualMachine.create({ ...options, maxInstructions: 400 });
  half.run();
  await half.ended;
  const snapshot = structuredClone(half.save());
  const vm = await VirtualMachine.create(options);
  vm.load(snapshot);
  vm.run();
  assert.equal((await vm.ended).exitStatus, 11);
  const whole = await VirtualMachine.create(options);
  whole.run();
  await whole.ended;
  assert.equal(vm.instructions, whole.instructions);
});

/** Writes and reads all over ports, device registers and MSRs, with a generator of its own. */
const HOSTILE = `
    mov ebp, SEED
    mov ecx, 20000
again:
    imul ebp, ebp, 1664525
    add ebp, 1013904223
    mov edx, ebp
    shr edx, 16
    mov eax, ebp
    test ebp, 0x100
    jz narrow
    and edx, 0xFFFC
    cmp edx, 0x64
    je next
    cmp edx, 0xF4
    je next
    out dx, eax
    in eax, dx
    jmp memory
narrow:
    and edx, 0x3FF
    cmp edx, 0x64
    je next
    cmp edx, 0xF4
    je next
    out dx, al
    in al, dx
memory:
    mov edx, ebp
    and edx, 0x7FFF
    or edx, 0xE0004000
    mov [edx], eax
    mov eax, [edx]
    mov edx, 0xCF8
    mov eax, ebp
    and eax, 0x8FC
    or eax, 0x80000000
    out dx, eax
    mov edx, 0xCFC
    mov eax, ebp
    out dx, eax
    in eax, dx
next:
    dec ecx
    jnz again
${EXIT(9)}
`;

test('a guest that writes to everything ends as it wants to', async () => {
  for (let seed = 1; seed <= 8; seed++) {
    const { ending } = await runKernel(HOSTILE.replace('SEED', String(seed)), { rng: true });
    assert.equal(ending.exitStatus, 19, `seed ${seed}: ${ending.reason} ${ending.text}`);
  }
});
