import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { GenerationTag } from '../../src/host/generation.js';
import {
  CODE,
  DATA,
  enterUser,
  initialisedGuest,
  LOOP,
  STACK,
  type TestGuest,
  USER_CODE,
  USER_CS,
  word,
} from './test-guest.js';

const HANDLER = 0x11_0000;
const IRQ_ENABLED = DATA;
const BLOCKED = DATA + 4;
const ENABLE = [0xc7, 0x05, ...word(IRQ_ENABLED), ...word(0x200)];
const MILLISECOND = 1_000_000;

/** Gate 0x20 loaded, bit 0 unblocked; handlers are endless loops. */
function timerGuest(tag: GenerationTag = 'C2'): TestGuest {
  const guest = initialisedGuest(tag).gate(0x20, HANDLER).write(HANDLER, LOOP);
  guest.memory.write32(BLOCKED, 0);
  guest.registers[4] = STACK;
  return guest;
}

/** The same with the timer gone off while interrupts were off. */
function heldOffGuest(tag: GenerationTag = 'C2'): TestGuest {
  const guest = timerGuest(tag).call(9, [MILLISECOND]);
  guest.time.ns += 2 * MILLISECOND;
  guest.execute([], 30_000);
  assert.notEqual(guest.state.eip, HANDLER);
  return guest;
}

describe('delivery', () => {
  test('T50 the timer, with interrupts on', () => {
    const guest = timerGuest();
    guest.memory.write32(IRQ_ENABLED, 0x200);
    guest.call(9, [MILLISECOND]);
    guest.execute([], 5000);
    assert.equal(guest.state.eip, CODE);
    guest.time.ns += MILLISECOND;
    guest.time.seconds += 3;
    guest.host.run(20_000);
    assert.equal(guest.state.eip, HANDLER);
    assert.equal(guest.registers[4], STACK - 12);
    const [eip, cs, flags] = guest.frame(3);
    assert.deepEqual([eip, cs, flags! & 0x200], [CODE, 0x61, 0x200]);
    assert.equal(guest.memory.read32(IRQ_ENABLED), 0);
    assert.equal(guest.memory.read32(DATA + 12), guest.time.seconds);
    assert.deepEqual(guest.host.statistics.interrupts, [{ irq: 0, count: 1 }]);
  });

  test('T35 held off, irq_pending set where it exists', () => {
    for (const tag of ['C2', 'D1', 'D2'] as const) assert.equal(heldOffGuest(tag).field('irqPending'), 0x200);
  });

  test('T29 C1 has no irq_pending: the ring stays as it is', () => {
    const guest = heldOffGuest('C1');
    const status = guest.memory.bytes(DATA + 20, 64);
    assert.ok(status.every((byte) => byte === 0xff));
    guest.call(0);
    assert.equal(guest.calls.at(-1)?.startsWith('0:'), true);
  });

  test('T51 a plain store of 0x200 is noticed within 1000 instructions, in every generation', () => {
    for (const tag of ['C1', 'C2', 'D1', 'D2'] as const) {
      const guest = heldOffGuest(tag);
      guest.write(CODE + 0x100, [...ENABLE, ...LOOP]);
      guest.state.eip = CODE + 0x100;
      guest.host.run(1000);
      assert.equal(guest.state.eip, HANDLER, tag);
    }
  });

  test('T52 the lg_irq_enable of the seed, byte for byte', () => {
    for (const [tag, instruction] of [
      ['C2', [0x0f, 0x01, 0xc1]],
      ['D2', [0xcd, 0x1f]],
    ] as const) {
      const guest = heldOffGuest(tag);
      const routine = [
        ...ENABLE,
        ...[0xf7, 0x05, ...word(DATA + 20), ...word(0)], // test [irq_pending], 0: never sets what it should
        ...[0x75, 0x01, 0xc3], // jnz send_interrupts; ret
        ...[0x50, 0xb8, ...word(19), ...instruction, 0x58, 0xc3],
      ];
      guest.write(CODE + 0x100, routine);
      // call lg_irq_enable; jmp $
      guest.write(CODE, [0xe8, ...word(0x100 - 5), ...LOOP]);
      guest.state.eip = CODE;
      const calls = guest.calls.length;
      guest.host.run(1000);
      assert.equal(guest.state.eip, HANDLER, tag);
      assert.equal(guest.calls.length, calls, 'no hypercall');
      assert.equal(guest.field('irqPending'), 0, tag);
      guest.host.run(1000);
      assert.equal(guest.field('irqPending'), 0, tag);
    }
  });

  test('T53 lg_restore_fl: SEND_INTERRUPTS delivers right behind itself', () => {
    for (const instruction of [
      [0x0f, 0x01, 0xc1],
      [0xcd, 0x1f],
    ]) {
      const guest = heldOffGuest();
      const routine = [
        ...[0xa3, ...word(IRQ_ENABLED)], // mov [irq_enabled], eax
        ...[0xa1, ...word(DATA + 20)], // mov eax, [irq_pending]
        ...[0x85, 0x05, ...word(IRQ_ENABLED)], // test [irq_enabled], eax
        ...[0x75, 0x01, 0xc3], // jnz; ret
        ...[0xb8, ...word(19), ...instruction],
      ];
      guest.registers[0] = 0x246;
      guest.execute(routine, 100);
      assert.equal(guest.calls.at(-1)?.startsWith('19:'), true);
      assert.equal(guest.frame(1)[0], CODE + routine.length);
      assert.equal(guest.field('irqPending'), 0);
    }
  });

  test('T54 blocked: never, and irq_pending stays 0; unblocked by a plain store', () => {
    const guest = timerGuest();
    guest.memory.write32(BLOCKED, 1);
    guest.memory.write32(IRQ_ENABLED, 0x200);
    guest.call(9, [100]);
    guest.time.ns += MILLISECOND;
    guest.execute([], 50_000);
    assert.equal(guest.state.eip, CODE);
    assert.equal(guest.field('irqPending'), 0);
    // and dword [blocked], ~1
    guest.execute([0x83, 0x25, ...word(BLOCKED), 0xfe], 2000);
    assert.equal(guest.state.eip, HANDLER);
  });

  test('T55 the lowest number first, the next when interrupts come on again', () => {
    const guest = timerGuest()
      .gate(0x23, HANDLER + 0x100)
      .write(HANDLER + 0x100, LOOP);
    guest.host.raiseInterrupt(3);
    guest.host.raiseInterrupt(0);
    guest.execute(ENABLE, 1000);
    assert.equal(guest.state.eip, HANDLER);
    assert.equal(guest.field('irqPending'), 0x200, 'another one waits');
    guest.write(CODE + 0x100, [...ENABLE, ...LOOP]);
    guest.state.eip = CODE + 0x100;
    guest.host.run(1000);
    assert.equal(guest.state.eip, HANDLER + 0x100);
    assert.equal(guest.field('irqPending'), 0);
  });

  test('interrupt 31', () => {
    const guest = timerGuest()
      .gate(0x3f, HANDLER + 0x100)
      .write(HANDLER + 0x100, LOOP);
    guest.host.raiseInterrupt(31);
    guest.execute(ENABLE, 1000);
    assert.equal(guest.state.eip, HANDLER + 0x100);
    assert.equal(guest.host.interrupts.pending, 0);
  });

  test('T56 without a gate it waits, and comes when there is one', () => {
    const guest = initialisedGuest('C2');
    guest.memory.write32(BLOCKED, 0);
    guest.memory.write32(IRQ_ENABLED, 0x200);
    guest.registers[4] = STACK;
    guest.host.raiseInterrupt(0);
    guest.execute([], 2000);
    assert.equal(guest.end, undefined);
    guest.write(HANDLER, LOOP).gate(0x20, HANDLER).host.run(10);
    assert.equal(guest.state.eip, HANDLER);
  });

  test('T59 bit 9 decides, not "not zero"', () => {
    const guest = timerGuest();
    guest.memory.write32(IRQ_ENABLED, 0x46);
    guest.host.raiseInterrupt(0);
    guest.execute([], 5000);
    assert.equal(guest.state.eip, CODE);
    assert.equal(guest.field('irqPending'), 0x200);
    guest.memory.write32(IRQ_ENABLED, 0x246);
    guest.host.run(1000);
    assert.equal(guest.state.eip, HANDLER);
  });

  test('a program is interrupted, on the stack of SET_STACK', () => {
    const guest = enterUser(timerGuest(), []);
    guest.memory.write32(IRQ_ENABLED, 0x200);
    guest.host.raiseInterrupt(0);
    guest.host.run(10);
    assert.equal(guest.state.cpl, 1);
    assert.equal(guest.registers[4], STACK - 20);
    assert.equal(guest.frame(2)[1], USER_CS);
  });

  test('an interrupt comes behind a pretended instruction', () => {
    const guest = timerGuest();
    guest.memory.write32(IRQ_ENABLED, 0x200);
    guest.execute([0xec, 0xec], 1);
    guest.host.raiseInterrupt(0);
    guest.host.run(1);
    assert.equal(guest.frame(1)[0], CODE + 1);
  });
});

describe('the no-interrupt range', () => {
  /** Range from lguest_data: PAGE_OFFSET + 0x100f00, 8 bytes. */
  const RANGE = 0xc010_0f00;

  test('T57 nothing comes inside', () => {
    const guest = timerGuest();
    guest.memory.write32(IRQ_ENABLED, 0x200);
    guest.write(0x10_0f00, LOOP);
    guest.state.eip = RANGE;
    guest.host.raiseInterrupt(0);
    guest.host.run(20_000);
    assert.equal(guest.state.eip, RANGE);
    guest.state.eip = RANGE + 8;
    guest.write(0x10_0f08, LOOP);
    guest.host.run(100);
    assert.equal(guest.state.eip, HANDLER);
  });

  test('T66 lguest_iret, byte for byte: the interrupt comes behind the IRET, never inside', () => {
    const guest = enterUser(timerGuest(), []);
    // Back to ring 1 the short way, with the frame of a program on the stack.
    guest.host.raiseInterrupt(0);
    guest.memory.write32(IRQ_ENABLED, 0x200);
    guest.host.run(1);
    assert.equal(guest.state.eip, HANDLER);
    guest.write(0x10_0efb, [
      0x50, // push eax
      ...[0x8b, 0x44, 0x24, 0x0c], // mov eax, [esp + 12]
      ...[0x36, 0xa3, ...word(IRQ_ENABLED)], // noirq_start: mov ss:[irq_enabled], eax
      0x58, // pop eax
      0xcf, // iret
    ]);
    guest.registers[0] = 0x1234;
    guest.state.eip = RANGE - 5;
    guest.host.torture.sliceInstructions = 1;
    guest.host.raiseInterrupt(0);
    guest.host.run(5);
    assert.equal(guest.state.cpl, 3);
    assert.deepEqual([guest.state.eip, guest.registers[0]], [USER_CODE, 0x1234]);
    assert.equal(guest.memory.read32(IRQ_ENABLED) & 0x200, 0x200);
    assert.equal(guest.state.eflags & 0x3000, 0);
    guest.host.run(1);
    assert.equal(guest.state.eip, HANDLER);
    assert.equal(guest.registers[4], STACK - 20, 'the stack does not grow');
    assert.deepEqual(guest.frame(2), [USER_CODE, USER_CS]);
  });
});

describe('HALT', () => {
  test('T60 wakes with interrupts on, behind the instruction', () => {
    const guest = timerGuest().call(9, [MILLISECOND]);
    const code = [0xb8, ...word(10), 0xcd, 0x1f];
    assert.equal(guest.execute(code, 1000), 'idle');
    assert.equal(guest.host.wakeAtNs(), guest.time.ns + MILLISECOND);
    assert.equal(guest.host.run(1000), 'idle');
    guest.time.ns += MILLISECOND;
    assert.equal(guest.host.run(1000), 'running');
    assert.equal(guest.state.eip, HANDLER);
    const [eip, , flags] = guest.frame(3);
    assert.deepEqual([eip, flags! & 0x200], [CODE + code.length, 0x200]);
  });

  test('T61 a masked interrupt does not wake', () => {
    const guest = timerGuest()
      .gate(0x21, HANDLER + 0x100)
      .write(HANDLER + 0x100, LOOP);
    guest.memory.write32(BLOCKED, 1);
    guest.call(9, [100]).call(10);
    guest.time.ns += MILLISECOND;
    assert.equal(guest.host.run(1000), 'idle');
    assert.equal(guest.host.run(1000), 'idle');
    assert.equal(guest.host.wakeAtNs(), Number.POSITIVE_INFINITY);
    guest.host.raiseInterrupt(1);
    assert.equal(guest.host.run(1000), 'running');
    assert.equal(guest.state.eip, HANDLER + 0x100);
  });

  test('T62 what is deliverable already comes at once', () => {
    const guest = timerGuest();
    guest.host.raiseInterrupt(0);
    guest.execute([0xb8, ...word(10), 0xcd, 0x1f], 100);
    assert.equal(guest.state.eip, HANDLER);
  });

  test('without a gate the guest sleeps on', () => {
    const guest = timerGuest();
    guest.host.raiseInterrupt(5);
    assert.equal(guest.execute([0xb8, ...word(10), 0xcd, 0x1f], 100), 'idle');
    assert.equal(guest.memory.read32(IRQ_ENABLED), 0);
  });
});

describe('the alarm', () => {
  test('T64 cancelled', () => {
    const guest = timerGuest().call(9, [50 * MILLISECOND]);
    guest.memory.write32(IRQ_ENABLED, 0x200);
    guest.time.ns += 10 * MILLISECOND;
    guest.call(9, [0]);
    guest.time.ns += 200 * MILLISECOND;
    guest.execute([], 50_000);
    assert.equal(guest.state.eip, CODE);
    assert.deepEqual(guest.host.statistics.interrupts, []);
  });

  test('T65 replaced', () => {
    const guest = timerGuest()
      .call(9, [1000 * MILLISECOND])
      .call(9, [MILLISECOND]);
    guest.memory.write32(IRQ_ENABLED, 0x200);
    guest.time.ns += MILLISECOND;
    guest.execute([], 20_000);
    assert.equal(guest.state.eip, HANDLER);
    guest.write(CODE, LOOP);
    guest.time.ns += 2000 * MILLISECOND;
    guest.state.eip = CODE;
    guest.memory.write32(IRQ_ENABLED, 0x200);
    guest.host.run(50_000);
    assert.equal(guest.state.eip, CODE);
  });
});

test('torture: one instruction at a time, an interrupt storm, the same result', () => {
  const run = (torture: { sliceInstructions: number; timerEvery: number }) => {
    const guest = timerGuest();
    Object.assign(guest.host.torture, torture);
    // Handler: inc ebx; store 0x200; iret. Program: xor eax, eax; mov ecx, 100; L: add eax, ecx; loop L
    guest.write(HANDLER, [0x43, ...ENABLE, 0xcf]);
    guest.memory.write32(IRQ_ENABLED, 0x200);
    guest.registers[3] = 0;
    guest.execute([0x31, 0xc0, 0xb9, ...word(100), 0x01, 0xc8, 0xe2, 0xfc], 5000);
    return guest;
  };
  const plain = run({ sliceInstructions: 0, timerEvery: 0 });
  const stormy = run({ sliceInstructions: 1, timerEvery: 7 });
  assert.equal(plain.registers[0], 5050);
  assert.equal(stormy.registers[0], 5050);
  assert.equal(plain.registers[3], 0);
  assert.ok(stormy.registers[3]! > 100);
});
