import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FLAG } from '../../src/cpu/state.js';
import { GENERATIONS } from '../../src/host/generation.js';
import { HYPERCALLS, hypercallsOf } from '../../src/host/hypercalls.js';
import { STATE } from '../../src/memory/layout.js';
import { randomSource } from './random.js';
import { CODE, DATA, INT_1F, initialisedGuest, RAM_BYTES, STACK, TEXT, TestGuest, VMCALL } from './test-guest.js';

const TS_BIT = 8;

function isTaskSwitched(guest: TestGuest): boolean {
  return (guest.state.get(STATE.cr0) & TS_BIT) !== 0;
}

describe('mechanics', () => {
  test('T16 T17 registers and flags survive, EIP is behind the instruction, either instruction will do', () => {
    for (const tag of ['C1', 'C2', 'D1', 'D2'] as const) {
      for (const instruction of [INT_1F, VMCALL]) {
        const guest = initialisedGuest(tag);
        const pattern = [0, 0x11111111, 0x22222222, 0x33333333, STACK, 0x55555555, 0x66666666, 0x77777777];
        guest.registers.set(pattern);
        guest.state.eflags = 0x202 | FLAG.CF | FLAG.ZF | FLAG.DF;
        guest.write(CODE, instruction);
        guest.state.eip = CODE;
        guest.host.run(1);
        assert.deepEqual(Array.from(guest.registers), pattern);
        assert.equal(guest.state.eflags, 0x202 | FLAG.CF | FLAG.ZF | FLAG.DF);
        assert.equal(guest.state.eip, CODE + instruction.length);
        assert.equal(guest.end, undefined);
      }
    }
  });

  test('T20 unknown numbers', () => {
    for (const number of [3, 11, 12, 20, 63, 0x8000_0000]) {
      assert.equal(initialisedGuest('C2').call(number).end, `Bad hypercall ${number}`);
    }
    assert.equal(initialisedGuest('C1').call(19).end, 'Bad hypercall 19');
  });

  test('T63 SEND_INTERRUPTS with nothing pending', () => {
    const guest = initialisedGuest('C2').call(19);
    assert.equal(guest.end, undefined);
    assert.equal(guest.field('irqPending'), 0);
  });

  test('numbers changed their meaning', () => {
    const name = (tag: keyof typeof GENERATIONS, number: number) => hypercallsOf(GENERATIONS[tag])[number]?.name;
    assert.deepEqual([name('A', 2), name('B2', 2)], ['CRASH', 'SHUTDOWN']);
    assert.deepEqual([name('B2', 3), name('C1', 3)], ['LOAD_GDT', undefined]);
    assert.deepEqual([name('C1', 13), name('C2', 13)], [undefined, 'SET_PMD']);
    assert.deepEqual([name('C1', 15), name('C2', 15)], ['SET_PMD', 'SET_PGD']);
    assert.deepEqual(
      [name('A', 17), name('B1', 17), name('D2', 17), name('E1', 17)],
      [undefined, 'NOTIFY', 'NOTIFY', undefined],
    );
    assert.deepEqual([name('B2', 18), name('C1', 18)], [undefined, 'LOAD_GDT_ENTRY']);
    for (const row of HYPERCALLS) assert.ok(row.arguments.length <= 4);
  });

  test('counted by name, the last one remembered', () => {
    const guest = initialisedGuest('C2').postToRing(0, [8, 0, 0, 0, 0]).call(0).call(17, [TEXT]);
    const { hypercalls } = guest.host.statistics;
    assert.deepEqual(hypercalls['TS'], { number: 8, sync: 0, ring: 1 });
    assert.deepEqual(hypercalls['NOTIFY'], { number: 17, sync: 1, ring: 0 });
    assert.deepEqual(hypercalls['LGUEST_INIT'], { number: 1, sync: 1, ring: 0 });
    assert.equal(guest.host.lastHypercall?.name, 'NOTIFY');
    assert.deepEqual(guest.notified, [TEXT]);
  });
});

describe('the ring', () => {
  const tags = ['C1', 'C2', 'D1', 'D2'] as const;

  test('T22 T23 untouched until a hypercall, then executed and freed', () => {
    for (const tag of tags) {
      const guest = initialisedGuest(tag).postToRing(0, [8, 8, 0, 0]);
      guest.execute([0x90, 0x90], 10);
      assert.equal(guest.ringStatus(0), 0);
      assert.equal(isTaskSwitched(guest), false);
      guest.call(0);
      assert.equal(isTaskSwitched(guest), true);
      assert.equal(guest.ringStatus(0), 0xff);
    }
  });

  test('T24 before the direct call', () => {
    const guest = initialisedGuest('C2').postToRing(0, [8, 8, 0, 0, 0]).call(8, [0]);
    assert.equal(isTaskSwitched(guest), false);
    assert.deepEqual(guest.calls.slice(-2), ['8:8:ring', '8:0']);
  });

  test('T25 in order', () => {
    const guest = initialisedGuest('C2').postToRing(0, [8, 0, 0, 0, 0]).postToRing(1, [8, 8, 0, 0, 0]).call(0);
    assert.equal(isTaskSwitched(guest), true);
  });

  test('T26 a ready slot behind a free one waits', () => {
    const guest = initialisedGuest('C2').postToRing(1, [8, 1, 0, 0, 0]).call(0);
    assert.equal(guest.ringStatus(1), 0);
    guest.postToRing(0, [8, 2, 0, 0, 0]).call(0);
    assert.deepEqual(guest.calls.slice(-3, -1), ['8:2:ring', '8:1:ring']);
    assert.equal(guest.ringStatus(1), 0xff);
  });

  test('T27 a full round, and slot 0 again', () => {
    const guest = initialisedGuest('C2');
    for (let slot = 0; slot < 64; slot++) guest.postToRing(slot, [8, slot, 0, 0, 0]);
    guest.call(0);
    const fromRing = guest.calls.filter((call) => call.endsWith(':ring'));
    assert.deepEqual(
      fromRing,
      Array.from({ length: 64 }, (_, slot) => `8:${slot}:ring`),
    );
    for (let slot = 0; slot < 64; slot++) assert.equal(guest.ringStatus(slot), 0xff);
    guest.postToRing(0, [8, 77, 0, 0, 0]).call(0);
    assert.equal(guest.calls.at(-2), '8:77:ring');
  });

  test('T28 the order of an entry words', () => {
    for (const tag of tags) {
      const guest = initialisedGuest(tag)
        .postToRing(0, [7, 0x69, STACK - 64, 1])
        .call(0);
      assert.equal(guest.end, undefined);
      assert.deepEqual(guest.host.traps.stack, { selector: 0x69, pointer: STACK - 64 });
    }
  });

  test('any call may come from the ring, and kill from there', () => {
    const guest = initialisedGuest('C2').postToRing(0, [63, 0, 0, 0, 0]).call(0);
    assert.equal(guest.end, 'Bad hypercall 63');
    assert.equal(guest.host.lastHypercall?.viaRing, true);
    assert.equal(initialisedGuest('C2').postToRing(0, [1, DATA, 0, 0, 0]).call(0).end, 'already have lguest_data');
  });
});

describe('SHUTDOWN', () => {
  function shutDown(text: string, reason: number): TestGuest {
    const guest = initialisedGuest('C2');
    guest.write(TEXT, [...Array.from(text, (letter) => letter.charCodeAt(0)), 0]);
    return guest.call(2, [TEXT, reason]);
  }

  test('T114 power-off is orderly', () => {
    assert.deepEqual(shutDown('Power down', 1).host.stopped, { kind: 'power-off', text: 'Power down' });
  });
  test('a panic is not', () => {
    const { stopped } = shutDown('Attempted to kill init!', 1).host;
    assert.deepEqual(stopped, { kind: 'killed', text: 'CRASH: Attempted to kill init!' });
    assert.equal(shutDown('Power down!', 0).end, 'CRASH: Power down!');
  });
  test('T115 restart, whatever the text', () => {
    assert.equal(initialisedGuest('C2').call(2, [0x4000_0000, 2]).host.stopped?.kind, 'restart');
    assert.equal(shutDown('x', 2).host.stopped?.kind, 'restart');
  });
  test('T116 at most 127 characters', () => {
    assert.equal(shutDown('y'.repeat(200), 1).end, `CRASH: ${'y'.repeat(127)}`);
  });
  test('no escape sequences reach a terminal', () => {
    assert.equal(shutDown('a\x1b[2Jb', 1).end, 'CRASH: a?[2Jb');
  });
  test('text outside memory', () => {
    assert.equal(initialisedGuest('C2').call(2, [0x4000_0000, 1]).end, 'bad read address 0x40000000 len 128');
  });
});

test('T117 the first end counts, and the guest never runs again', () => {
  const guest = initialisedGuest('C2').call(63);
  assert.throws(() => guest.host.kill('something else'));
  assert.equal(guest.end, 'Bad hypercall 63');
  const { retired } = guest.state;
  assert.equal(guest.host.run(1000), 'stopped');
  assert.equal(guest.state.retired, retired);
});

test('a device kills through the Host', () => {
  const guest: TestGuest = initialisedGuest('C2', {
    notifySink: { limit: RAM_BYTES, notify: () => guest.host.kill('Looped descriptor') },
  });
  assert.equal(guest.call(17, [TEXT]).end, 'Looped descriptor');
});

describe('random arguments', () => {
  for (const tag of ['C1', 'C2', 'D1', 'D2'] as const) {
    for (const pae of tag === 'C1' ? [false] : [false, true]) {
      test(`every hypercall of ${tag}${pae ? ' with PAE' : ''}: a kill text or life goes on`, () => {
        const random = randomSource(0x1234567 + tag.charCodeAt(0) * 7 + tag.charCodeAt(1));
        const interesting = [
          0,
          1,
          2,
          3,
          4,
          8,
          16,
          31,
          32,
          33,
          64,
          255,
          256,
          0xfff,
          0x1000,
          CODE,
          DATA,
          TEXT,
          STACK,
          RAM_BYTES - 1,
          RAM_BYTES,
          RAM_BYTES + 0x2000,
          RAM_BYTES + 0x3000,
          0x7fff_ffff,
          0x8000_0000,
          0xbfff_ffff,
          0xc000_0000,
          0xc010_0000,
          0xffff_f000,
          0xffff_fffc,
          0xffff_ffff,
        ];
        const argument = () => {
          const choice = random();
          if (choice % 4 === 0) return random();
          if (choice % 4 === 1) return random() % (RAM_BYTES + 0x3000);
          return interesting[(choice >>> 3) % interesting.length]!;
        };
        const guest = new TestGuest({ generation: { pae } });
        guest.initialise(tag);
        const memory = guest.memory.bytes(0, guest.memory.size).slice();
        const [host, cpu] = [guest.host.save(), guest.host.cpu.save()];
        for (let round = 0; round < 400; round++) {
          for (let call = 0; call < 12 && guest.end === undefined; call++) {
            const number = random() % 21;
            if (number === 1 || number === 2) continue;
            if (random() % 3 === 0) guest.postToRing(random() % 64, [number, argument(), argument(), argument()]);
            else guest.call(number, [argument(), argument(), argument(), argument()]);
            if (random() % 4 === 0) guest.host.raiseInterrupt(random() % 32);
            guest.time.ns += random() % 1000;
            if (guest.end === undefined) guest.execute([0x90, 0xa1, 0, 0, 0x15, 0, 0xcc], 20);
          }
          if (guest.end !== undefined) assert.match(guest.end, /^(bad|Bad|too many|Setting|unhandled|attempt|already)/);
          guest.memory.writeBytes(0, memory);
          guest.host.cpu.load(cpu);
          guest.host.load(host);
        }
      });
    }
  }
});
