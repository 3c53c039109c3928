import assert from 'node:assert/strict';
import test from 'node:test';
import { EXIT } from '../../src/cpu/processor.js';
import { STATE } from '../../src/memory/layout.js';
import { createMachine } from './machine-code.js';

/** sum = 0; for (ecx = n; ecx; ecx--) sum += ecx; int 0x80 */
const SUM = [0x31, 0xc0, 0xb9, 0xe8, 0x03, 0, 0, 0x01, 0xc8, 0x49, 0x75, 0xfb, 0xcd, 0x80];

test('a loop runs to its software interrupt', () => {
  const cpu = createMachine(SUM);
  assert.equal(cpu.run(1_000_000), EXIT.trap);
  assert.equal(cpu.exit.vector, 0x80);
  assert.equal(cpu.exit.kind, 'software');
  assert.equal(cpu.state.registers[0], 500500);
  assert.equal(cpu.state.eip, 0x1000 + SUM.length);
  assert.equal(cpu.exit.instructionEip, 0x1000 + SUM.length - 2);
  assert.equal(cpu.state.retired, 2 + 3 * 1000 + 1);
});

test('the budget is exact, whatever the block boundaries', () => {
  const whole = createMachine(SUM);
  whole.run(1000);
  const pieces = createMachine(SUM);
  for (const piece of [1, 2, 3, 7, 100, 887]) assert.equal(pieces.run(piece), EXIT.budget);
  assert.equal(whole.state.retired, 1000);
  assert.equal(pieces.state.retired, 1000);
  assert.deepEqual(pieces.state.registers, whole.state.registers);
  assert.equal(pieces.state.eip, whole.state.eip);
});

test('a fault gives back what did not run and names the instruction', () => {
  // mov eax,1; mov eax,[0x7fffffff]; mov eax,2
  const cpu = createMachine([0xb8, 1, 0, 0, 0, 0xa1, 0xff, 0xff, 0xff, 0x7f, 0xb8, 2, 0, 0, 0]);
  assert.equal(cpu.run(100), EXIT.trap);
  assert.equal(cpu.exit.vector, 14);
  assert.equal(cpu.exit.cr2, 0x7fff_ffff);
  assert.equal(cpu.state.eip, 0x1005);
  assert.equal(cpu.state.registers[0], 1);
  assert.equal(cpu.state.retired, 1);
});

test('code that overwrites the next instruction runs the new one', () => {
  // mov byte [0x1008],0x42 (the inc ecx behind becomes inc edx); inc ecx; int 0x80
  const code = [0xc6, 0x05, 0x07, 0x10, 0, 0, 0x42, 0x41, 0xcd, 0x80];
  const cpu = createMachine(code);
  cpu.run(100);
  assert.equal(cpu.exit.vector, 0x80);
  assert.equal(cpu.state.registers[1], 0);
  assert.equal(cpu.state.registers[2], 1);
  assert.equal(cpu.state.retired, 3);
});

test('an undefined opcode raises #UD at itself', () => {
  const cpu = createMachine([0x40, 0x0f, 0x0b]);
  cpu.run(100);
  assert.equal(cpu.exit.vector, 6);
  assert.equal(cpu.state.eip, 0x1001);
});

test('single-stepping traps behind every instruction', () => {
  const cpu = createMachine([0x40, 0x40, 0x40]);
  cpu.state.eflags = 0x102;
  for (let i = 1; i <= 3; i++) {
    assert.equal(cpu.run(100), EXIT.trap);
    assert.equal(cpu.exit.vector, 1);
    assert.equal(cpu.exit.kind, 'trap');
    assert.equal(cpu.state.registers[0], i);
    assert.equal(cpu.state.eip, 0x1000 + i);
  }
});

test('a single step from POPF on, into a block that had to be cut short before', () => {
  // push 0x302; popf; inc eax; inc eax; inc eax; int 0x80
  const cpu = createMachine([0x68, 0x02, 0x03, 0, 0, 0x9d, 0x40, 0x40, 0x40, 0xcd, 0x80]);
  cpu.state.eip = 0x1006;
  assert.equal(cpu.run(2), EXIT.budget);
  cpu.state.eip = 0x1000;
  assert.equal(cpu.run(100), EXIT.trap);
  assert.equal(cpu.exit.vector, 1);
  assert.equal(cpu.state.eip, 0x1007);
  assert.equal(cpu.state.registers[0], 3);
});

test('an instruction that crosses a page, and one that ends where its segment does', () => {
  const cpu = createMachine([0xb8, 0x78, 0x56, 0x34, 0x12, 0xcd, 0x80], { at: 0x1ffd });
  cpu.run(10);
  assert.equal(cpu.exit.vector, 0x80);
  assert.equal(cpu.state.registers[0], 0x12345678);
});

test('repeated strings move memory and can be interrupted', () => {
  // mov ecx,10000; mov esi,0x4000; mov edi,0x8000; rep movsb; int 0x80
  const code = [0xb9, 0x10, 0x27, 0, 0, 0xbe, 0, 0x40, 0, 0, 0xbf, 0, 0x80, 0, 0, 0xf3, 0xa4, 0xcd, 0x80];
  const cpu = createMachine(code);
  const data = Uint8Array.from({ length: 10000 }, (_, i) => i * 7);
  cpu.memory.writeBytes(0x4000, data);
  assert.equal(cpu.run(4), EXIT.budget);
  assert.equal(cpu.state.registers[1], 8192);
  cpu.run(1000);
  assert.deepEqual(cpu.memory.bytes(0x8000, 10000), data);
  assert.equal(cpu.state.registers[7], 0x8000 + 10000);
});

test('alignment is checked in ring 3 from the POPF on that asks for it', () => {
  // push 0x40202; popf; mov eax,[0x4001]
  const code = [0x68, 0x02, 0x02, 0x04, 0, 0x9d, 0xa1, 0x01, 0x40, 0, 0];
  const cpu = createMachine(code, { ring: 3 });
  cpu.state.set(STATE.cr0, 0x4_0001);
  assert.equal(cpu.run(100), EXIT.trap);
  assert.equal(cpu.exit.vector, 17);
  assert.equal(cpu.state.eip, 0x1006);
});

test('a load of SS holds back the single step behind it', () => {
  // push ss; pop ss; nop; nop
  const cpu = createMachine([0x16, 0x17, 0x90, 0x90]);
  cpu.state.set(STATE.gdtBase, 0x3000);
  cpu.state.set(STATE.gdtLimit, 0xff);
  cpu.memory.write64(0x3010, 0x00cf_9300_0000_ffffn);
  assert.equal(cpu.run(1), EXIT.budget);
  cpu.state.eflags = 0x102;
  assert.equal(cpu.run(100), EXIT.trap);
  assert.equal(cpu.state.eip, 0x1003);
});
