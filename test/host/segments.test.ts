import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CS, GS, SS, STATE } from '../../src/memory/layout.js';
import { CODE, enterUser, initialisedGuest, STACK, TEXT, type TestGuest, USER_CODE, word } from './test-guest.js';

function entry(guest: TestGuest, index: number): [number, number] {
  return [guest.state.get(STATE.hostGdt + index * 8), guest.state.get(STATE.hostGdt + index * 8 + 4)];
}

/** LAR of `selector`: EBX = rights, or ZF clear. */
function accessRights(guest: TestGuest, selector: number): number | undefined {
  guest.registers[0] = selector;
  // lar ebx, eax; setz cl
  guest.execute([0x0f, 0x02, 0xd8, 0x0f, 0x94, 0xc1], 2);
  return guest.registers[1]! & 1 ? guest.registers[3] : undefined;
}

describe('LOAD_GDT_ENTRY', () => {
  test('T85 level 0 becomes 1, accessed is on', () => {
    const guest = initialisedGuest('C2').call(18, [20, 0xffff, 0x00cf_9200]);
    assert.deepEqual(entry(guest, 20), [0xffff, 0x00cf_b300]);
    assert.equal((accessRights(guest, 0xa1)! >>> 8) & 0xff, 0xb3);
    assert.deepEqual(entry(guest.call(18, [21, 0, 0]), 21), [0, 0x2100]);
    assert.deepEqual(entry(guest.call(18, [22, 1, 0x00cf_f200]), 22), [1, 0x00cf_f300]);
  });

  test('T86 the entries of the Host stay empty', () => {
    const guest = initialisedGuest('C2');
    for (const index of [10, 11, 16, 31]) {
      guest.call(18, [index, 0xffff, 0x00cf_f200]);
      assert.deepEqual(entry(guest, index), [0, 0]);
      assert.equal(accessRights(guest, index * 8 + 3), undefined);
    }
  });

  test('T87 beyond the table', () => {
    assert.equal(initialisedGuest('C2').call(18, [32, 0, 0]).end, 'too many gdt entries 32');
    assert.equal(initialisedGuest('C1').call(18, [0x8000_0000, 0, 0]).end, 'too many gdt entries 2147483648');
  });

  test('a loaded register follows its entry', () => {
    const guest = initialisedGuest('C2').call(18, [27, 0xffff, 0x00cf_9200]);
    // mov eax, 0xd8; mov gs, eax
    guest.execute([0xb8, ...word(0xd8), 0x8e, 0xe8], 2);
    assert.equal(guest.state.segment(GS).base, 0);
    guest.call(18, [27, ((0x5000 << 16) | 0xffff) >>> 0, 0x00cf_9212]);
    assert.equal(guest.state.segment(GS).base, 0x12_5000);
    guest.call(18, [27, 0, 0]);
    assert.deepEqual(guest.state.segment(GS), { selector: 0xd8, base: 0, limit: 0, access: 0 });
  });

  test('code and stack must stay usable', () => {
    for (const index of [12, 13]) {
      const guest = initialisedGuest('C2').call(18, [index, 0, 0]);
      assert.match(guest.end!, /^unhandled trap 256 at 0x108002 \(0\)$/);
    }
    const guest = initialisedGuest('C2').call(18, [12, 0xffff, 0x00c0_9a00]);
    assert.equal(guest.end, undefined);
    assert.equal(guest.state.segment(CS).limit, 0x0fff_ffff);
    assert.equal(guest.state.segment(SS).selector, 0x69);
  });
});

describe('LOAD_TLS', () => {
  test('T89 the entries a program uses', () => {
    const guest = initialisedGuest('C2');
    // Base 0x150000, data, DPL 3.
    guest.write(TEXT + 0x100, [...word(0xffff), ...word(0x00cf_f215), ...word(0), ...word(0), ...word(1), ...word(2)]);
    guest.memory.write32(TEXT, 4711);
    guest.call(16, [TEXT + 0x100, 0]);
    assert.deepEqual(entry(guest, 6), [0xffff, 0x00cf_f315]);
    assert.deepEqual(entry(guest, 7), [0, 0x2100]);
    assert.deepEqual(entry(guest, 8), [1, 0x2102]);
    // mov eax, 0x33; mov gs, eax; mov eax, gs:[0]
    enterUser(guest, [0xb8, ...word(0x33), 0x8e, 0xe8, 0x65, 0xa1, ...word(0)]);
    guest.host.run(3);
    assert.equal(guest.end, undefined);
    assert.equal(guest.state.eip, USER_CODE + 13);
    assert.equal(guest.registers[0], 4711);
  });

  test('a table outside memory', () => {
    assert.equal(initialisedGuest('C2').call(16, [0xffff_fff0, 0]).end, 'bad read address 0xfffffff0 len 24');
  });
});

test('selectors with RPL 0 work for data, and CS reads 0x61', () => {
  const guest = initialisedGuest('C2');
  guest.registers[4] = STACK;
  // mov eax, 0x68; mov ds, eax; jmp 0x60:next; mov ebx, cs
  guest.execute([0xb8, ...word(0x68), 0x8e, 0xd8, 0xea, ...word(CODE + 14), 0x60, 0, 0x8c, 0xcb], 4);
  assert.equal(guest.end, undefined);
  assert.equal(guest.registers[3]! & 0xffff, 0x61);
});
