import assert from 'node:assert/strict';
import { test } from 'node:test';
import { controlRegisterHelpers } from '../../src/cpu/control-registers.js';
import { EXIT } from '../../src/cpu/exit.js';
import { DB, GP, UD } from '../../src/cpu/faults.js';
import { checkPort, systemHelpers } from '../../src/cpu/system-instructions.js';
import { CR0, CR4, EAX, ECX, EDX, ESP, FLAG } from '../../src/cpu/state.js';
import { CS, SS, STATE, TR } from '../../src/memory/layout.js';
import { assertFault, FakeCpu, TASK, TASK_SELECTOR } from './fake-cpu.js';

const { readControl, writeControl, readDebug, writeDebug, lmsw, smsw, clts } = controlRegisterHelpers;
const { lgdt, lidt, sgdt, sidt, invlpg, flushCaches, rdmsr, wrmsr, rdtsc, rdpmc, hlt, sysenter, sysexit, ud } =
  systemHelpers;

test('CR0: contradictions are refused, changes are announced', () => {
  const cpu = new FakeCpu();
  assertFault(cpu, GP, 0, () => writeControl(cpu, 0, CR0.PG));
  assertFault(cpu, GP, 0, () => writeControl(cpu, 0, CR0.PE | CR0.NW));
  writeControl(cpu, 0, CR0.PG | CR0.PE | CR0.WP);
  assert.equal(readControl(cpu, 0) >>> 0, 0x8001_0011);
  assert.deepEqual(cpu.calls.splice(0), ['paging', 'cr0']);
  writeControl(cpu, 0, CR0.PG | CR0.PE | CR0.WP | CR0.TS | 0x1f00);
  assert.equal(cpu.state.get(STATE.cr0), 0x8001_0019);
  assert.deepEqual(cpu.calls.splice(0), ['fpu', 'cr0']);
  writeControl(cpu, 0, 0);
  assert.deepEqual(cpu.calls.splice(0), ['paging', 'segments', 'fpu', 'cr0']);
});

test('CR2, CR3, CR4, and registers that do not exist', () => {
  const cpu = new FakeCpu();
  writeControl(cpu, 2, 0x1234);
  assert.equal(readControl(cpu, 2), 0x1234);
  writeControl(cpu, 3, 0x5000);
  assert.equal(cpu.state.get(STATE.cr3), 0x5000);
  assert.deepEqual(cpu.calls.splice(0), ['address space', 'cr3']);
  writeControl(cpu, 4, CR4.PAE | CR4.PGE | CR4.OSFXSR);
  assert.equal(readControl(cpu, 4), CR4.PAE | CR4.PGE | CR4.OSFXSR);
  for (const bit of [CR4.VME, CR4.MCE, 1 << 20, 1 << 31]) assertFault(cpu, GP, 0, () => writeControl(cpu, 4, bit));
  for (const index of [1, 5, 7]) {
    assertFault(cpu, UD, 0, () => readControl(cpu, index));
    assertFault(cpu, UD, 0, () => writeControl(cpu, index, 0));
  }
});

test('LMSW cannot leave protected mode, CLTS and SMSW', () => {
  const cpu = new FakeCpu();
  lmsw(cpu, 0xfffe);
  assert.equal(smsw(cpu), 0x1f);
  lmsw(cpu, 0);
  assert.equal(cpu.state.get(STATE.cr0), 0x11);
  lmsw(cpu, 8);
  clts(cpu);
  assert.equal(cpu.state.get(STATE.cr0), 0x11);
});

test('debug registers: aliases, fixed bits, general detect', () => {
  const cpu = new FakeCpu();
  assert.deepEqual([readDebug(cpu, 6) >>> 0, readDebug(cpu, 7)], [0xffff_0ff0, 0x400]);
  writeDebug(cpu, 2, 0x1234_5678);
  assert.equal(readDebug(cpu, 2), 0x1234_5678);
  writeDebug(cpu, 4, 0xffff);
  assert.equal(readDebug(cpu, 6) >>> 0, 0xffff_efff);
  writeDebug(cpu, 5, 0x2155);
  assert.throws(() => readDebug(cpu, 0), { vector: DB });
  assert.ok(cpu.state.get(STATE.debug + 24) & (1 << 13));
  assert.equal(readDebug(cpu, 7), 0x555, 'general detect is off in the handler');
});

test('descriptor table registers', () => {
  const cpu = new FakeCpu();
  cpu.memory.write16(0x9000, 0x1ff);
  cpu.memory.write32(0x9002, 0xabcd_ef00);
  lgdt(cpu, 0x9000, 32);
  lidt(cpu, 0x9000, 16);
  assert.deepEqual([cpu.state.get(STATE.gdtBase), cpu.state.get(STATE.gdtLimit)], [0xabcd_ef00, 0x1ff]);
  assert.equal(cpu.state.get(STATE.idtBase), 0xcd_ef00);
  cpu.enterLevel(3);
  sgdt(cpu, 0xa000);
  sidt(cpu, 0xa010);
  assert.deepEqual([cpu.memory.read16(0xa000), cpu.memory.read32(0xa002)], [0x1ff, 0xabcd_ef00]);
  assert.deepEqual([cpu.memory.read16(0xa010), cpu.memory.read32(0xa012)], [0x1ff, 0xcd_ef00]);
  cpu.readOnlyPages.add(0xb);
  assert.throws(() => sgdt(cpu, 0xaffd), { vector: 14 });
  assert.equal(cpu.memory.read16(0xaffd), 0);
});

test('privileged instructions at levels 1 and 3 raise #GP(0)', () => {
  const cpu = new FakeCpu();
  for (const cpl of [1, 3]) {
    cpu.state.cpl = cpl;
    const refused = [
      () => readControl(cpu, 0),
      () => writeControl(cpu, 3, 0),
      () => readDebug(cpu, 6),
      () => writeDebug(cpu, 7, 0),
      () => lmsw(cpu, 0),
      () => clts(cpu),
      () => lgdt(cpu, 0x9000, 32),
      () => lidt(cpu, 0x9000, 32),
      () => invlpg(cpu, 0),
      () => flushCaches(cpu),
      () => rdmsr(cpu),
      () => wrmsr(cpu),
      () => rdpmc(),
      () => hlt(cpu),
      () => sysexit(cpu),
    ];
    for (const action of refused) assertFault(cpu, GP, 0, action);
  }
});

test('HLT and INVLPG', () => {
  const cpu = new FakeCpu();
  hlt(cpu);
  invlpg(cpu, -4096);
  assert.deepEqual(cpu.calls, [`leave ${EXIT.halt}`, 'flush 4294963200']);
});

test('MSRs: the board answers, unknown ones fault', () => {
  const cpu = new FakeCpu();
  const { registers } = cpu.state;
  registers[ECX] = 0x1b;
  rdmsr(cpu);
  assert.deepEqual([registers[EAX], registers[EDX]], [0xfee0_0900, 0]);
  registers[ECX] = 0x176;
  registers[EAX] = 0xc000_1234;
  wrmsr(cpu);
  assert.equal(cpu.state.get(STATE.sysenterEip), 0xc000_1234);
  registers[ECX] = 0x8b;
  assertFault(cpu, GP, 0, () => rdmsr(cpu));
  assertFault(cpu, GP, 0, () => wrmsr(cpu));
});

test('RDTSC obeys CR4.TSD', () => {
  const cpu = new FakeCpu();
  cpu.state.set(STATE.cr4, CR4.TSD);
  rdtsc(cpu);
  assert.deepEqual([cpu.state.registers[EAX], cpu.state.registers[EDX]], [0x1234_5678, 9]);
  cpu.state.cpl = 1;
  assertFault(cpu, GP, 0, () => rdtsc(cpu));
});

test('ports: IOPL first, then the bitmap of the task', () => {
  const cpu = new FakeCpu();
  cpu.state.cpl = 1;
  assertFault(cpu, GP, 0, () => checkPort(cpu, 0x80, 1));
  cpu.state.eflags = 0x1002;
  checkPort(cpu, 0x80, 1);
  cpu.state.eflags = 2;
  cpu.state.setSegment(TR, { selector: TASK_SELECTOR, base: TASK, limit: 0x67 + 0x12, access: 0x8b00 });
  cpu.memory.write16(TASK + 0x66, 0x68);
  for (let n = 0; n < 0x12; n++) cpu.memory.write8(TASK + 0x68 + n, 0);
  cpu.memory.write8(TASK + 0x68 + 0x10, 0x04); // port 0x82
  checkPort(cpu, 0x80, 2);
  for (const [port, size] of [
    [0x82, 1],
    [0x80, 4],
    [0x7f, 4],
    [0x88, 1],
  ] as const) {
    assertFault(cpu, GP, 0, () => checkPort(cpu, port, size));
  }
  checkPort(cpu, 0x83, 4);
  cpu.state.setSegment(TR, { selector: 0, base: 0, limit: 0, access: 0 });
  assertFault(cpu, GP, 0, () => checkPort(cpu, 0x80, 1));
  cpu.enterVirtual8086(3);
  assertFault(cpu, GP, 0, () => checkPort(cpu, 0x80, 1));
});

test('SYSENTER needs its MSR; SYSEXIT goes back', () => {
  const cpu = new FakeCpu();
  cpu.enterLevel(3);
  assertFault(cpu, GP, 0, () => sysenter(cpu));
  cpu.state.set(STATE.sysenterCs, 0x60);
  cpu.state.set(STATE.sysenterEsp, 0x6000);
  cpu.state.set(STATE.sysenterEip, 0xc000_0000);
  cpu.state.eflags = 0x3202;
  sysenter(cpu);
  const { state } = cpu;
  assert.deepEqual([state.cpl, state.eip, state.registers[ESP]], [0, 0xc000_0000, 0x6000]);
  assert.deepEqual(state.segment(CS), { selector: 0x60, base: 0, limit: 0xffff_ffff, access: 0xc0_9b00 });
  assert.deepEqual(state.segment(SS), { selector: 0x68, base: 0, limit: 0xffff_ffff, access: 0xc0_9300 });
  assert.equal(state.eflags & FLAG.IF, 0);
  state.registers[ECX] = 0x7000;
  state.registers[EDX] = 0x1000;
  sysexit(cpu);
  assert.deepEqual([state.cpl, state.eip, state.registers[ESP]], [3, 0x1000, 0x7000]);
  assert.deepEqual([state.selector(CS), state.selector(SS)], [0x73, 0x7b]);
});

test('undefined opcodes', () => {
  const cpu = new FakeCpu();
  assertFault(cpu, UD, 0, () => ud());
});
