import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { STATE } from '../../src/memory/layout.js';
import { TIME_NANOSECONDS, TIME_SECONDS } from '../../src/host/guest-data.js';
import type { DetectedGeneration } from '../../src/host/generation.js';
import {
  CODE,
  DATA,
  INT_1F,
  initialisedGuest,
  PAGE_OFFSET,
  RAM_BYTES,
  TestGuest,
  VMCALL,
  writeGuestData,
} from './test-guest.js';

test('T01 the processor at the first instruction', () => {
  const { state } = new TestGuest();
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5].map((register) => state.selector(register)),
    [0x69, 0x61, 0x69, 0x69, 0, 0],
  );
  assert.deepEqual(Array.from(state.registers), [0, 0, 0, 0, 0, 0, 0, 0]);
  assert.equal(state.eflags & 0x3fff, 0x0202);
  assert.equal(state.cpl, 1);
  assert.equal(state.eip, CODE);
  assert.equal(state.get(STATE.hostGdt + 12 * 8), 0x0000_ffff);
  assert.equal(state.get(STATE.hostGdt + 12 * 8 + 4), 0x00cf_bb00);
  assert.equal(state.get(STATE.hostGdt + 13 * 8 + 4), 0x00cf_b300);
  assert.equal(state.get(STATE.hostGdt + 14 * 8 + 4), 0);
  assert.equal(state.get(STATE.cr4), 0x600);
  assert.equal(state.get(STATE.cr0) & 8, 0);
});

test('T14 every layout is recognised by its contents, and the register order by the register', () => {
  const cases: [string, 'L0' | 'L1' | 'L2' | 'L3' | 'L4', number, number[], string][] = [
    ['L0', 'L0', 2, INT_1F, 'A'],
    ['L1, EDX', 'L1', 2, INT_1F, 'B2'],
    ['L1, EBX', 'L1', 3, VMCALL, 'C1'],
    ['L2, vmcall', 'L2', 3, VMCALL, 'C2'],
    ['L2, int', 'L2', 3, INT_1F, 'D1'],
    ['L3', 'L3', 3, INT_1F, 'D2'],
    ['L4', 'L4', 3, INT_1F, 'E2'],
  ];
  for (const [name, layout, register, instruction, tag] of cases) {
    const seen: DetectedGeneration[] = [];
    const guest = new TestGuest({ observer: { initialised: (detected) => seen.push(detected) } });
    writeGuestData(guest.memory, DATA, layout);
    guest.registers[register] = DATA;
    guest.registers[0] = 1;
    guest.write(CODE, instruction);
    guest.state.eip = layout === 'L0' ? PAGE_OFFSET + CODE : CODE;
    guest.host.run(1);
    assert.equal(seen[0]?.generation.tag, tag, name);
    assert.equal(seen[0]?.dataGpa, DATA, name);
    assert.equal(seen[0]?.generation.layout, layout, name);
    if (seen[0]!.generation.supported) assert.equal(guest.end, undefined, name);
    else assert.match(guest.end!, new RegExp(`generation ${tag} .*does not support yet; it supports C1`), name);
  }
});

test('the banner tells B1 from B2 and E1 from D2', () => {
  for (const [layout, register, release, tag] of [
    ['L1', 2, '2.6.24.3', 'B1'],
    ['L1', 2, '2.6.27', 'B2'],
    ['L3', 3, '3.11.10', 'D2'],
    ['L3', 3, '4.0.9', 'E1'],
  ] as const) {
    let seen: DetectedGeneration | undefined;
    const guest = new TestGuest({ observer: { initialised: (detected) => (seen = detected) } });
    writeGuestData(guest.memory, DATA, layout);
    const banner = `xLinux version %s Linux version ${release}-lguest (me@here) #1\n`;
    guest.write(
      0x123457,
      Array.from(banner, (letter) => letter.charCodeAt(0)),
    );
    guest.registers[register] = DATA;
    guest.registers[0] = 1;
    guest.execute(INT_1F, 1);
    assert.equal(seen?.generation.tag, tag);
    assert.equal(seen?.release, release);
  }
});

test('T11 what the guest is told at LGUEST_INIT', () => {
  for (const tag of ['C1', 'C2', 'D1', 'D2'] as const) {
    const guest = initialisedGuest(tag);
    assert.equal(guest.end, undefined, tag);
    assert.equal(guest.field('reserveMemory'), 0x40_0000, tag);
    assert.equal(guest.field('tscKhz'), 1_000_000, tag);
    assert.equal(guest.memory.read32(DATA + TIME_SECONDS), 1_700_000_000);
    assert.equal(guest.memory.read32(DATA + TIME_NANOSECONDS), 7);
    const status = guest.memory.bytes(DATA + guest.host.data.layout.ringStatus, 64);
    assert.ok(status.every((byte) => byte === 0xff));
    if (tag === 'D2') continue;
    assert.equal(guest.field('pageDirectory'), RAM_BYTES - 4096, tag);
  }
});

test('T08 C1 to D1: RAM twice before LGUEST_INIT, real tables behind it', () => {
  const guest = new TestGuest();
  guest.memory.write32(0x15_0000, 0x1234_5678);
  // mov eax, [0x150000]; mov ebx, [0xC0150000]
  guest.execute([0xa1, 0, 0, 0x15, 0, 0x8b, 0x1d, 0, 0, 0x15, 0xc0], 10);
  assert.equal(guest.registers[0], 0x1234_5678);
  assert.equal(guest.registers[3], 0x1234_5678);
  guest.initialise('C2');
  const directory = guest.field('pageDirectory');
  for (const entry of [0, 768]) {
    const value = guest.memory.read32(directory + entry * 4);
    assert.equal(value & 0xfff, 7);
    assert.equal(guest.memory.read32((value & ~0xfff) + 0x150 * 4) & ~0x60, 0x15_0007);
  }
  guest.registers[0] = guest.registers[3] = 0;
  guest.execute([0xa1, 0, 0, 0x15, 0, 0x8b, 0x1d, 0, 0, 0x15, 0xc0], 10);
  assert.equal(guest.registers[0], 0x1234_5678);
  assert.equal(guest.registers[3], 0x1234_5678);
});

test('T06 T07 D2: physical addresses until NEW_PGTABLE, nothing beyond', () => {
  const guest = initialisedGuest('D2');
  guest.memory.write32(RAM_BYTES - 4, 99);
  // mov eax, [RAM - 4]
  guest.execute([0xa1, 0xfc, 0xff, 0x3f, 0], 10);
  assert.equal(guest.registers[0], 99);
  // mov eax, [RAM + 0x10000000]
  guest.execute([0xa1, 0, 0, 0x40, 0x10], 10);
  assert.equal(guest.end, 'bad page table entry');
});

test('D2: with the generation given there is no alias before LGUEST_INIT', () => {
  const guest = new TestGuest({ generation: { tag: 'D2' } });
  guest.execute([0xa1, 0, 0, 0x15, 0xc0], 10);
  assert.equal(guest.end, 'bad page table entry');
});

describe('LGUEST_INIT refused', () => {
  test('T10 another hypercall first', () => {
    assert.equal(new TestGuest().call(10).end, 'hypercall 10 before INIT');
    assert.equal(new TestGuest().call(0xffff_ffff).end, 'hypercall 4294967295 before INIT');
  });
  test('T12 twice', () => {
    assert.equal(initialisedGuest('C2').call(1, [DATA]).end, 'already have lguest_data');
  });
  test('T13 another system call vector', () => {
    const guest = new TestGuest({ generation: { tag: 'C2' } });
    writeGuestData(guest.memory, DATA, 'L2');
    guest.memory.write32(DATA + 1392, 0x90);
    assert.equal(guest.call(1, [DATA]).end, 'bad syscall vector');
  });
  test('T15 outside memory, or nothing there', () => {
    assert.equal(new TestGuest().call(1, [RAM_BYTES]).end, 'bad guest page 0x400000');
    assert.equal(new TestGuest().call(1, [0xffff_fffc]).end, 'bad guest page 0xfffffffc');
    assert.equal(new TestGuest().call(1, [0]).end, 'bad guest page 0');
    const guest = new TestGuest({ generation: { tag: 'C2' } });
    assert.equal(guest.call(1, [RAM_BYTES - 1392]).end, 'bad guest page 0x3ffa90');
  });
  test('a kernel address in the reserved area', () => {
    const guest = new TestGuest();
    writeGuestData(guest.memory, DATA, 'L2', 0xffc0_0000);
    // noirq addresses wrap, which detection does not look at beyond their order
    guest.memory.write32(DATA + 1380, 1);
    guest.memory.write32(DATA + 1384, 2);
    assert.equal(guest.call(1, [DATA]).end, 'bad kernel address 0xffc00000');
  });
  test('one wrong bit in the structure', () => {
    for (const offset of [0, 4, 8, 20, 24, 87, 88, 1367, 1388]) {
      const guest = new TestGuest();
      writeGuestData(guest.memory, DATA, 'L2');
      guest.memory.write8(DATA + offset, guest.memory.read8(DATA + offset) ^ 2);
      assert.match(guest.call(1, [DATA]).end!, /^bad guest page 0x140000$/, `offset ${offset}`);
    }
  });
});

describe('PAE', () => {
  const POOL = 0x16_0000;

  function writeTopLevel(guest: TestGuest, at: number, entries: readonly number[]): void {
    entries.forEach((entry, index) => {
      guest.memory.write32(at + 8 * index, entry);
    });
  }

  test('C2: recognised by the static top-level table, for each split', () => {
    for (const [kernelAddress, entries] of [
      [0xc000_0000, [POOL | 1, 0, 0, POOL | 1]],
      [0x8000_0000, [POOL | 1, 0, POOL | 1, (POOL + 0x1000) | 1]],
      [0x4000_0000, [POOL | 1, POOL | 1, (POOL + 0x1000) | 1, (POOL + 0x2000) | 1]],
    ] as const) {
      const guest = new TestGuest();
      writeGuestData(guest.memory, DATA, 'L2', kernelAddress);
      writeTopLevel(guest, 0x15_0000, entries);
      guest.call(1, [DATA], VMCALL);
      assert.equal(guest.end, undefined);
      assert.equal(guest.host.generation?.pae, true);
      assert.equal(guest.field('reserveMemory'), 0x20_0000);
      const directory = guest.field('pageDirectory');
      const middle = guest.memory.read32(directory);
      assert.equal(middle & 0xfff, 1);
      assert.equal(guest.memory.read32(directory + 8 * (kernelAddress >>> 30)), middle);
      assert.equal(guest.host.pageTables.locate(0x15_0123), 0x15_0123);
      assert.equal(guest.host.pageTables.locate(kernelAddress + 0x15_0123), 0x15_0123);
    }
  });

  test('C2: anything else on the page means no', () => {
    for (const [offset, value] of [
      [4, 1],
      [8, 1],
      [4092, 1],
      [32, 8],
    ] as const) {
      const guest = new TestGuest();
      writeGuestData(guest.memory, DATA, 'L2');
      writeTopLevel(guest, 0x15_0000, [POOL | 1, 0, 0, POOL | 1]);
      guest.memory.write32(0x15_0000 + offset, value);
      guest.call(1, [DATA], VMCALL);
      assert.equal(guest.host.generation?.pae, false);
    }
  });

  test('given by hand', () => {
    const guest = new TestGuest({ generation: { pae: true } }).initialise('D1');
    assert.equal(guest.host.generation?.pae, true);
    assert.equal(guest.host.pageTables.locate(PAGE_OFFSET + 5), 5);
  });

  test('D2: recognised by the first directory', () => {
    const guest = initialisedGuest('D2');
    assert.equal(guest.host.generation?.pae, undefined);
    guest.memory.write32(0x15_0020, POOL | 1);
    guest.memory.write32(0x15_0020 + 24, POOL | 1);
    guest.memory.write32(POOL, 0x17_0007);
    guest.memory.write32(POOL + 8, 0x17_0007);
    for (let page = 0; page < 512; page++) guest.memory.write32(0x17_0000 + 8 * page, (page << 12) | 7);
    guest.call(4, [0x15_0020]);
    assert.equal(guest.host.generation?.pae, true);
    assert.equal(guest.host.pageTables.locate(0xc01f_f123), 0x1f_f123);
    assert.equal(guest.call(13, [POOL, 0]).end, undefined, 'SET_PMD exists');
  });

  test('T21 SET_PMD does not exist without', () => {
    assert.equal(initialisedGuest('C2').call(13, [0, 0]).end, 'Bad hypercall 13');
    assert.equal(initialisedGuest('C1').call(13, [0, 0]).end, 'Bad hypercall 13');
  });

  test('a directory in mid-page proves it', () => {
    const guest = initialisedGuest('C2');
    guest.call(4, [0x15_0020]);
    assert.equal(guest.host.generation?.pae, true);
  });
});
