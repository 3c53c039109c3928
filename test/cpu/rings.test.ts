/** Rare instructions through decoder, rows and interpreter: a kernel at level 0 that goes to level 3 and back. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXIT } from '../../src/cpu/exit.js';
import { hasErrorCode } from '../../src/cpu/faults.js';
import { deliverInterrupt } from '../../src/cpu/interrupt-delivery.js';
import type { Processor } from '../../src/cpu/processor.js';
import { CS, STATE, TR } from '../../src/memory/layout.js';
import { createMachine } from './machine-code.js';

const START = 0x1000;
const USER = 0x1800;
const HANDLERS = 0x2000;
const TABLES = 0x5000;
const GDT = 0x5100;
const IDT = 0x5800;
const TASK = 0x4000;
const OTHER_TASK = 0x4100;
const KERNEL_STACK = 0x8000;
const USER_STACK = 0x9000;

const dword = (value: number): number[] => [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24];

/** Loads tables, segments and TR, then goes on with `then`. */
function boot(then: readonly number[]): Processor {
  const afterJump = START + 21;
  const cpu = createMachine([
    ...[0x0f, 0x01, 0x15, ...dword(TABLES)], // lgdt
    ...[0x0f, 0x01, 0x1d, ...dword(TABLES + 8)], // lidt
    ...[0xea, ...dword(afterJump), 0x08, 0], // ljmp 8:next
    ...[0x66, 0xb8, 0x10, 0, 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0], // ds, es, ss = 10
    ...[0xbc, ...dword(KERNEL_STACK)], // mov esp
    ...[0x66, 0xb8, 0x28, 0, 0x0f, 0x00, 0xd8], // ltr 28
    ...then,
  ]);
  const { memory } = cpu;
  const pseudoDescriptor = (at: number, limit: number, base: number): void => {
    memory.write16(at, limit);
    memory.write32(at + 2, base);
  };
  pseudoDescriptor(TABLES, 0x3f, GDT);
  pseudoDescriptor(TABLES + 8, 0x7ff, IDT);
  const descriptors: readonly (readonly [number, number])[] = [
    [0, 0],
    [0x0000_ffff, 0x00cf_9a00],
    [0x0000_ffff, 0x00cf_9200],
    [0x0000_ffff, 0x00cf_fa00],
    [0x0000_ffff, 0x00cf_f200],
    [(TASK << 16) | 0x67, 0x8900],
    [(OTHER_TASK << 16) | 0x67, 0x8900],
  ];
  descriptors.forEach(([low, high], n) => {
    memory.write32(GDT + 8 * n, low >>> 0);
    memory.write32(GDT + 8 * n + 4, high);
  });
  memory.write32(TASK + 4, KERNEL_STACK);
  memory.write32(TASK + 8, 0x10);
  memory.write16(TASK + 0x66, 0x68);
  return cpu;
}

function setHandler(cpu: Processor, vector: number, code: readonly number[]): void {
  const at = HANDLERS + 16 * vector;
  cpu.memory.writeBytes(at, Uint8Array.from(code));
  cpu.memory.write32(IDT + 8 * vector, (0x08 << 16) | at);
  cpu.memory.write32(IDT + 8 * vector + 4, 0xee00);
}

/** What a board without interrupt sources does: delivers traps until the guest halts. */
function runUntilHalt(cpu: Processor): number[] {
  const vectors: number[] = [];
  for (;;) {
    const reason = cpu.run(1000);
    if (reason === EXIT.halt) return vectors;
    assert.equal(reason, EXIT.trap);
    const { vector, errorCode, kind, cr2 } = cpu.exit;
    vectors.push(vector);
    if (vector === 14) cpu.state.set(STATE.cr2, cr2);
    const code = kind === 'fault' && hasErrorCode(vector) ? errorCode : undefined;
    assert.equal(deliverInterrupt(cpu, vector, code, kind), 'delivered');
  }
}

/** push 23; push esp; push eflags; push 1b; push eip; iret */
const toUser = (eflags: number): number[] => [
  ...[0x6a, 0x23, 0x68, ...dword(USER_STACK), 0x68, ...dword(eflags)],
  ...[0x6a, 0x1b, 0x68, ...dword(USER), 0xcf],
];

test('to level 3 by IRET, back by INT, and by a fault', () => {
  const cpu = boot(toUser(0x202));
  // mov eax, 1234; int 80; mov edx, eax; hlt
  cpu.memory.writeBytes(USER, Uint8Array.from([0xb8, ...dword(0x1234), 0xcd, 0x80, 0x89, 0xc2, 0xf4]));
  setHandler(cpu, 0x80, [0x40, 0xcf]); // inc eax; iret
  setHandler(cpu, 13, [0x5b, 0x59, 0x5d, 0xf4]); // pop ebx, ecx, ebp; hlt
  assert.deepEqual(runUntilHalt(cpu), [0x80, 13]);
  const { registers } = cpu.state;
  assert.equal(registers[2], 0x1235);
  assert.deepEqual([registers[3], registers[1], registers[5]], [0, USER + 9, 0x1b]);
  assert.deepEqual([cpu.state.cpl, cpu.state.selector(CS)], [0, 8]);
  assert.equal(registers[4], KERNEL_STACK - 12);
});

test('user level may not do what is privileged, each with #GP(0) at the instruction', () => {
  const attempts = [
    [0xfa],
    [0xfb],
    [0xf4],
    [0x0f, 0x20, 0xc0],
    [0x0f, 0x22, 0xd8],
    [0x0f, 0x21, 0xf8],
    [0x0f, 0x01, 0x15, ...dword(TABLES)],
    [0x0f, 0x00, 0xd8],
    [0x0f, 0x06],
    [0x0f, 0x09],
    [0x0f, 0x30],
    [0x0f, 0x32],
    [0x0f, 0x34],
    [0x0f, 0x35],
    [0xe4, 0x60],
    [0xee],
    [0x6c],
    [0x66, 0x0f, 0x01, 0xf0],
    [0x0f, 0x01, 0x3d, ...dword(0)],
    [0x8e, 0xd2], // mov ss, dx = 0
  ];
  for (const code of attempts) {
    const cpu = boot(toUser(0x202));
    cpu.memory.writeBytes(USER, Uint8Array.from([0x31, 0xd2, ...code]));
    setHandler(cpu, 13, [0x5b, 0x59, 0xf4]);
    assert.deepEqual(runUntilHalt(cpu), [13], code.map((byte) => byte.toString(16)).join(' '));
    assert.deepEqual([cpu.state.registers[3], cpu.state.registers[1]], [0, USER + 2]);
  }
});

test('POPF at level 3 cannot turn interrupts off, PUSHF shows them on', () => {
  const cpu = boot(toUser(0x202));
  // push 0; popf; pushf; pop edx; int 80
  cpu.memory.writeBytes(USER, Uint8Array.from([0x6a, 0, 0x9d, 0x9c, 0x5a, 0xcd, 0x80]));
  setHandler(cpu, 0x80, [0xf4]);
  assert.deepEqual(runUntilHalt(cpu), [0x80]);
  assert.equal(cpu.state.registers[2], 0x202);
});

test('SLDT, STR, SMSW, SGDT, LAR and friends at level 3', () => {
  const cpu = boot(toUser(0x202));
  cpu.memory.writeBytes(
    USER,
    Uint8Array.from([
      ...[0xb8, ...dword(0x23), 0x8e, 0xd8], // mov eax, 23; mov ds, ax: DS did not survive the IRET
      ...[0x0f, 0x00, 0xc8], // str eax
      ...[0x0f, 0x01, 0xe3], // smsw ebx
      ...[0x0f, 0x01, 0x05, ...dword(0xa000)], // sgdt
      ...[0xb9, ...dword(0x1b), 0x0f, 0x02, 0xd1], // mov ecx, 1b; lar edx, ecx
      ...[0x0f, 0x03, 0xe9], // lsl ebp, ecx
      ...[0x0f, 0x00, 0xe1, 0x0f, 0x94, 0xc1], // verr cx; setz cl
      ...[0xcd, 0x80],
    ]),
  );
  setHandler(cpu, 0x80, [0xf4]);
  assert.deepEqual(runUntilHalt(cpu), [0x80]);
  const { registers } = cpu.state;
  assert.deepEqual([registers[0], registers[3], registers[2], registers[5]], [0x28, 0x11, 0xcf_fb00, 0xffff_ffff]);
  assert.equal(registers[1], 1);
  assert.deepEqual([cpu.memory.read16(0xa000), cpu.memory.read32(0xa002)], [0x3f, GDT]);
});

test('a jump to another task, which returns by a jump', () => {
  const cpu = boot([
    ...[0xea, ...dword(0), 0x30, 0], // ljmp 30:0
    ...[0xb9, ...dword(0x77), 0xf4], // mov ecx, 77; hlt
  ]);
  const { memory } = cpu;
  for (const [offset, value] of [
    [0x20, USER],
    [0x24, 2],
    [0x38, 0x7000],
    [0x48, 0x10],
    [0x4c, 0x08],
    [0x50, 0x10],
    [0x54, 0x10],
  ] as const) {
    memory.write32(OTHER_TASK + offset, value);
  }
  memory.writeBytes(USER, Uint8Array.from([0xba, ...dword(0x99), 0xea, ...dword(0), 0x28, 0])); // mov edx, 99; ljmp 28:0
  assert.deepEqual(runUntilHalt(cpu), []);
  assert.deepEqual([cpu.state.registers[1], cpu.state.selector(TR)], [0x77, 0x28]);
  assert.deepEqual([memory.read32(OTHER_TASK + 0x30), memory.read32(OTHER_TASK + 0x20)], [0x99, USER + 12]);
});

test('virtual-8086 mode: 16-bit code with its own segments, INT leads to level 0', () => {
  const cpu = boot([
    ...[0x6a, 0, 0x6a, 0, 0x6a, 0, 0x6a, 0], // gs fs ds es
    ...[0x68, ...dword(0x900), 0x68, ...dword(0x100)], // ss sp
    ...[0x68, ...dword(0x2_3202), 0x68, ...dword(0x180), 0x6a, 0x08, 0xcf], // flags (IOPL 3), cs, ip; iret
  ]);
  // 180:8  mov ax, 1234; mov ds, ax; push ax; int 80
  cpu.memory.writeBytes(0x1808, Uint8Array.from([0xb8, 0x34, 0x12, 0x8e, 0xd8, 0x50, 0xcd, 0x80]));
  setHandler(cpu, 0x80, [0xf4]);
  assert.deepEqual(runUntilHalt(cpu), [0x80]);
  assert.equal(cpu.memory.read16(0x90fe), 0x1234);
  const frame = Array.from({ length: 9 }, (_, n) => cpu.memory.read32(cpu.state.registers[4]! + 4 * n));
  assert.deepEqual(frame, [0x10, 0x180, 0x2_3202, 0xfe, 0x900, 0, 0x1234, 0, 0]);
});

test('a far call through a gate and back', () => {
  const cpu = boot(toUser(0x202));
  cpu.memory.write32(GDT + 0x38, (0x08 << 16) | 0x3000);
  cpu.memory.write32(GDT + 0x3c, 0xec01); // one parameter
  // push 42; lcall 38:0; int 80
  cpu.memory.writeBytes(USER, Uint8Array.from([0x6a, 0x42, 0x9a, ...dword(0), 0x38, 0, 0xcd, 0x80]));
  // mov edx, [esp+8]; lret 4
  cpu.memory.writeBytes(0x3000, Uint8Array.from([0x8b, 0x54, 0x24, 8, 0xca, 4, 0]));
  setHandler(cpu, 0x80, [0x5b, 0x5b, 0x5b, 0x5b, 0xf4]);
  assert.deepEqual(runUntilHalt(cpu), [0x80]);
  assert.deepEqual([cpu.state.registers[2], cpu.state.registers[3]], [0x42, USER_STACK]);
});
