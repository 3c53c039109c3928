import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EXIT } from '../../src/cpu/exit.js';
import { CS, DS, ES, FS, GS, SS } from '../../src/memory/layout.js';
import {
  CODE,
  DATA,
  enterUser,
  initialisedGuest,
  LOOP,
  STACK,
  TestGuest,
  USER_CODE,
  USER_CS,
  USER_DS,
  USER_STACK,
  word,
} from './test-guest.js';

const HANDLER = 0x11_0000;
const UD2 = [0x0f, 0x0b];

/** A guest whose gate for `vector` leads to an endless loop at HANDLER, ready to execute `bytes` in ring 1. */
function guestWithGate(vector: number, type = 0xe, dpl = 0): TestGuest {
  const guest = initialisedGuest('C2').gate(vector, HANDLER, type, dpl).write(HANDLER, LOOP);
  guest.registers[4] = STACK;
  return guest;
}

describe('gates', () => {
  test('T30 the vectors of the Host are dropped before any check', () => {
    for (const vector of [2, 8, 15, 31]) {
      const guest = initialisedGuest('C2').gate(vector, HANDLER, 5);
      assert.equal(guest.end, undefined);
      assert.equal(guest.host.idt.isPresent(vector), false);
    }
  });
  test('T31 bad types, and absent gates of any type', () => {
    assert.equal(initialisedGuest('C2').call(6, [9, 0, 0x8500]).end, 'bad IDT type 5');
    assert.equal(initialisedGuest('C2').call(6, [9, 0, 0x0500]).end, undefined);
    const guest = guestWithGate(6).call(6, [6, 0, 0]);
    assert.equal(guest.host.idt.isPresent(6), false);
  });
  test('T32 vectors above 255', () => {
    assert.equal(initialisedGuest('C2').call(6, [256, 0, 0x8e00]).end, 'Setting idt entry 256');
  });
});

describe('reflection', () => {
  test('T33 without a gate', () => {
    const guest = initialisedGuest('C2');
    guest.execute(UD2);
    assert.equal(guest.end, `unhandled trap 6 at 0x${CODE.toString(16)} (0)`);
  });

  test('a page fault without a gate names the address', () => {
    const guest = initialisedGuest('C2');
    guest.execute([0xa1, ...word(0x7000_0010)]);
    assert.equal(guest.end, `unhandled trap 14 at 0x${CODE.toString(16)} (0x70000010)`);
    assert.equal(guest.memory.read32(DATA + 8), 0x7000_0010);
  });

  test('before LGUEST_INIT', () => {
    const guest = new TestGuest();
    guest.execute(UD2);
    assert.equal(guest.end, `unhandled trap 6 at 0x${CODE.toString(16)} (0)`);
  });

  for (const [name, type, enabled, enabledAfter, shown] of [
    ['T34 interrupt gate', 0xe, 0x200, 0, 0x200],
    ['T34b trap gate', 0xf, 0x200, 0x200, 0x200],
    ['T34c interrupts were off', 0xe, 0, 0, 0],
    ['trap gate, interrupts were off', 0xf, 0x46, 0x46, 0],
  ] as const) {
    test(name, () => {
      const guest = guestWithGate(6, type);
      guest.memory.write32(DATA, enabled);
      guest.execute(UD2, 5);
      assert.equal(guest.end, undefined);
      assert.equal(guest.state.eip, HANDLER);
      assert.equal(guest.registers[4], STACK - 12);
      const [eip, cs, flags] = guest.frame(3);
      assert.equal(eip, CODE);
      assert.equal(cs, 0x61);
      assert.equal(flags! & 0x200, shown);
      assert.equal(guest.memory.read32(DATA), enabledAfter);
      assert.equal(guest.state.selector(CS), 0x61);
      assert.equal(guest.state.eflags & 0x200, 0x200, 'the real flag stays on');
    });
  }

  test('T42 from ring 3: stack of SET_STACK, user segments stay', () => {
    const guest = guestWithGate(6);
    // mov eax, USER_DS; mov ds/es/fs, eax; ud2
    enterUser(guest, [0xb8, ...word(USER_DS), 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xe0, ...UD2]);
    assert.equal(guest.state.cpl, 3);
    guest.host.run(10);
    assert.equal(guest.end, undefined);
    assert.equal(guest.registers[4], STACK - 20);
    const [eip, cs, flags, esp, ss] = guest.frame(5);
    assert.equal(eip, USER_CODE + 11);
    assert.deepEqual([cs, flags! & 0x3000, esp, ss], [USER_CS, 0, USER_STACK, USER_DS]);
    assert.equal(guest.state.selector(SS), 0x69);
    assert.equal(guest.state.cpl, 1);
    assert.deepEqual(
      [DS, ES, FS].map((register) => guest.state.selector(register)),
      [USER_DS, USER_DS, USER_DS],
    );
  });

  test('T43 page faults: code on top of the frame, address in lguest_data', () => {
    const read = (address: number) => [0xa1, ...word(address)];
    const write = (address: number) => [0xa3, ...word(address)];
    const pteAt = (guest: TestGuest, gva: number) =>
      (guest.memory.read32(guest.field('pageDirectory')) & ~0xfff) + (gva >>> 12) * 4;
    const protectedPage = 0x1a_0000;
    const cases: [string, boolean, number[], number, number, number][] = [
      // name, ring 3, code, flags of the page's entry, address, error code
      ['ring 1 reads absent', false, read(protectedPage), 0, protectedPage, 0],
      ['ring 1 writes read-only', false, write(protectedPage), 1, protectedPage, 3],
      ['T83 ring 1 writes a read-only user page', false, write(protectedPage), 5, protectedPage, 3],
      ['ring 3 reads absent', true, read(protectedPage), 0, protectedPage, 4],
      ['ring 3 reads supervisor', true, read(protectedPage), 3, protectedPage, 5],
      ['ring 3 writes read-only', true, write(protectedPage), 5, protectedPage, 7],
      ['ring 3 writes absent', true, write(protectedPage), 0, protectedPage, 6],
    ];
    for (const [name, user, code, flags, address, errorCode] of cases) {
      const guest = guestWithGate(14);
      guest.memory.write32(pteAt(guest, protectedPage), protectedPage | flags);
      guest.host.cpu.flushTlb();
      if (user) {
        // mov eax, USER_DS; mov ds, eax
        enterUser(guest, [0xb8, ...word(USER_DS), 0x8e, 0xd8, ...code]);
        guest.host.run(5);
      } else {
        guest.execute(code, 5);
      }
      assert.equal(guest.end, undefined, name);
      const [code0, eip] = guest.frame(2);
      assert.equal(code0, errorCode, name);
      assert.equal(eip, user ? USER_CODE + 7 : CODE, name);
      assert.equal(guest.memory.read32(DATA + 8), address, name);
      assert.equal(guest.registers[4], STACK - (user ? 24 : 16), name);
    }
  });

  test('a stack that crosses pages, misaligned', () => {
    const guest = guestWithGate(6);
    guest.registers[4] = STACK + 6;
    guest.execute(UD2, 5);
    const [eip, cs] = [guest.memory.read32(STACK - 6), guest.memory.read32(STACK - 2)];
    assert.deepEqual([eip, cs], [CODE, 0x61]);
    assert.equal(guest.registers[4], STACK - 6);
  });

  test('a stack that is not there', () => {
    const guest = guestWithGate(6);
    guest.registers[4] = 0x7000_0000;
    guest.execute(UD2, 5);
    assert.equal(guest.end, 'Bad address 0x6ffffff4');
  });

  test('from ring 3 without SET_STACK', () => {
    const guest = enterUser(guestWithGate(6), UD2);
    guest.host.traps.stack.selector = 0;
    guest.host.run(5);
    assert.match(guest.end!, /^unhandled trap 256 at 0x180000/);
  });

  test('a handler that faults for ever ends with its stack, in bounded time', () => {
    const guest = initialisedGuest('C2').gate(6, HANDLER).write(HANDLER, UD2);
    guest.registers[4] = STACK;
    assert.equal(guest.execute(UD2, 200_000), 'stopped');
    assert.match(guest.end!, /^(Bad address|bad write|unhandled|bad page)/);
  });

  test('a guest that only faults spends its budget', () => {
    const guest = initialisedGuest('C2').gate(6, HANDLER).write(HANDLER, UD2);
    // Frames upon frames, where they do no harm.
    guest.registers[4] = 0x1f_0000;
    assert.equal(guest.execute(UD2, 1000), 'running');
    // The first costs nothing: a trap alone is no instruction.
    assert.equal(guest.host.statistics.traps[0]?.reflected, 1001);
  });
});

describe('INT n', () => {
  test('T18 T19 hypercalls of ring 3 are faults', () => {
    const guest = enterUser(guestWithGate(13), [0xcd, 0x1f]);
    guest.host.run(5);
    assert.deepEqual(guest.frame(2), [0xfa, USER_CODE]);
    const other = enterUser(guestWithGate(6), [0x0f, 0x01, 0xc1]);
    other.host.run(5);
    assert.deepEqual(other.frame(1), [USER_CODE]);
  });

  test('T44 the system call, by trap gate and by interrupt gate', () => {
    for (const [type, enabledAfter] of [
      [0xf, 0x200],
      [0xe, 0],
    ] as const) {
      const guest = guestWithGate(0x80, type, 3);
      guest.memory.write32(DATA, 0x200);
      enterUser(guest, [0xcd, 0x80]);
      guest.host.run(3);
      assert.equal(guest.state.eip, HANDLER);
      assert.deepEqual(guest.frame(2), [USER_CODE + 2, USER_CS]);
      assert.equal(guest.memory.read32(DATA), enabledAfter);
    }
  });

  test('system calls and returns from them do not stop the processor, hypercalls do', () => {
    const guest = guestWithGate(0x80, 0xf, 3).write(HANDLER, [0xcf]);
    enterUser(guest, [0xcd, 0x80, 0xcd, 0x80, 0xcd, 0x80]);
    const { cpu } = guest.host;
    const run = cpu.run.bind(cpu);
    const reasons: number[] = [];
    cpu.run = (budget) => {
      reasons.push(run(budget));
      return reasons.at(-1)!;
    };
    guest.host.run(100);
    assert.equal(guest.state.eip, USER_CODE + 6);
    assert.equal(guest.host.traps.counts.reflected[0x80], 3);
    assert.deepEqual(reasons, [EXIT.budget]);
    guest.call(0);
    assert.deepEqual(reasons, [EXIT.budget, EXIT.trap]);
  });

  test('T45 an interrupt cannot be faked, from any ring', () => {
    const guest = enterUser(guestWithGate(13).gate(0x40, HANDLER, 0xe, 3), [0xcd, 0x40]);
    guest.host.run(5);
    assert.deepEqual(guest.frame(2), [0x202, USER_CODE]);
    const kernel = guestWithGate(13);
    kernel.execute([0xcd, 0x20], 3);
    assert.deepEqual(kernel.frame(2), [0x102, CODE]);
  });

  test('nor a page fault, a protection fault or a missing FPU', () => {
    for (const vector of [7, 13, 14]) {
      const guest = guestWithGate(13, 0xe, 3).gate(vector, HANDLER, 0xe, 3);
      enterUser(guest, [0xcd, vector]).host.run(5);
      assert.deepEqual(guest.frame(2), [vector * 8 + 2, USER_CODE]);
    }
  });

  test('T46 int3 and into obey the DPL of the gate', () => {
    const guest = enterUser(guestWithGate(3, 0xe, 3), [0xcc]);
    guest.host.run(3);
    assert.deepEqual(guest.frame(2), [USER_CODE + 1, USER_CS]);
    const refused = enterUser(guestWithGate(13).gate(3, HANDLER), [0xcc]);
    refused.host.run(3);
    assert.deepEqual(refused.frame(2), [0x1a, USER_CODE]);
  });
});

describe('privileged instructions', () => {
  test('T36 are general protection faults of the guest', () => {
    const instructions = {
      rdmsr: [0x0f, 0x32],
      wrmsr: [0x0f, 0x30],
      hlt: [0xf4],
      sti: [0xfb],
      'mov eax, cr0': [0x0f, 0x20, 0xc0],
      'mov cr3, eax': [0x0f, 0x22, 0xd8],
      lgdt: [0x0f, 0x01, 0x15, ...word(CODE)],
      invlpg: [0x0f, 0x01, 0x3d, ...word(CODE)],
      clts: [0x0f, 0x06],
    };
    for (const [name, bytes] of Object.entries(instructions)) {
      const guest = guestWithGate(13);
      guest.execute(bytes, 3);
      assert.deepEqual(guest.frame(2), [0, CODE], name);
    }
  });

  test('T37 T40 in, out and cli are pretended', () => {
    const cases: [string, number[], number][] = [
      ['in al, 0x71', [0xe4, 0x71], 0x1234_56ff],
      ['in eax, 0x71', [0xe5, 0x71], 0xffff_ffff],
      ['in ax, 0x71', [0x66, 0xe5, 0x71], 0x1234_ffff],
      ['in al, dx', [0xec], 0x1234_56ff],
      ['in ax, dx', [0x66, 0xed], 0x1234_ffff],
      ['in eax, dx', [0xed], 0xffff_ffff],
      ['out 0x80, al', [0xe6, 0x80], 0x1234_5600],
      ['out 0x80, eax', [0xe7, 0x80], 0x1234_5600],
      ['out dx, ax', [0x66, 0xef], 0x1234_5600],
      ['cli', [0xfa], 0x1234_5600],
    ];
    for (const [name, bytes, eax] of cases) {
      const guest = guestWithGate(13);
      guest.memory.write32(DATA, 0x200);
      guest.registers[0] = 0x1234_5600;
      guest.execute(bytes, 1);
      assert.equal(guest.end, undefined, name);
      assert.equal(guest.registers[0], eax, name);
      assert.equal(guest.state.eip, CODE + bytes.length, name);
      assert.equal(guest.memory.read32(DATA), 0x200, name);
    }
  });

  test('T39 but not in ring 3, and not with other prefixes', () => {
    for (const bytes of [[0xec], [0xfa], [0xf4], [0xee]]) {
      const guest = enterUser(guestWithGate(13), bytes);
      guest.host.run(3);
      assert.deepEqual(guest.frame(2), [0, USER_CODE]);
    }
    for (const bytes of [
      [0xf3, 0x6c],
      [0x66, 0x66, 0xed],
      [0x2e, 0xec],
    ]) {
      const guest = guestWithGate(13);
      guest.execute(bytes, 3);
      assert.deepEqual(guest.frame(2), [0, CODE]);
    }
  });

  test('T38 popf cannot change IF and IOPL', () => {
    const guest = guestWithGate(13);
    // pushf; pop eax; and eax, ~0x200; or eax, 0x3000; push eax; popf; pushf; pop ebx
    guest.execute([0x9c, 0x58, 0x25, ...word(0xffff_fdff), 0x0d, ...word(0x3000), 0x50, 0x9d, 0x9c, 0x5b], 8);
    assert.equal(guest.registers[3]! & 0x3200, 0x200);
  });

  test('T49 the FPU behind TS', () => {
    const guest = guestWithGate(7).call(8, [8]);
    guest.execute([0x9b], 2);
    assert.equal(guest.state.eip, HANDLER);
    const other = guestWithGate(7).call(8, [8]).call(8, [0]);
    other.execute([0xdb, 0xe3], 2);
    assert.notEqual(other.state.eip, HANDLER);
    assert.equal(other.end, undefined);
  });

  test('T48 one debug trap per instruction, handlers are not stepped, DR6 can be read', () => {
    const guest = guestWithGate(1);
    // mov eax, dr6; iret
    guest.write(HANDLER, [0x0f, 0x21, 0xf0, 0xcf]);
    enterUser(guest, [0x31, 0xc9, 0x41, 0x41, 0x41], 0x302);
    guest.host.run(100);
    assert.equal(guest.end, undefined);
    assert.equal(guest.registers[0], 0xffff_4ff0);
    assert.equal(guest.registers[1], 3);
    const debug = guest.host.statistics.traps.find(({ vector }) => vector === 1);
    assert.ok(debug !== undefined && debug.reflected >= 20);
  });

  test('GS survives a trap', () => {
    const guest = guestWithGate(6);
    enterUser(guest, [0xb8, ...word(USER_DS), 0x8e, 0xe8, ...UD2]);
    guest.host.run(4);
    assert.equal(guest.state.selector(GS), USER_DS);
  });
});
