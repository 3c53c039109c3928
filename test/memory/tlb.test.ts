import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GuestMemory } from '../../src/memory/guest-memory.js';
import type { Walk } from '../../src/memory/page-walk.js';
import { Tlb } from '../../src/memory/tlb.js';

const PAGE = 0x5000;

function mapped(linears: readonly number[], global = false): Tlb {
  const tlb = new Tlb(new GuestMemory(1 << 20));
  for (const linear of linears) tlb.fill(linear, walkTo(PAGE, global));
  return tlb;
}

function walkTo(pageGpa: number, global: boolean): Walk {
  const rights = { userWritable: true, supervisorWritable: true, userReadable: true, executable: true };
  return { fault: -1, pageGpa, global, ...rights };
}

const isWritable = (tlb: Tlb, linear: number): boolean => tlb.locate(linear, true, false) >= 0;

describe('a page that code is decoded from', () => {
  for (const [name, linears] of [
    ['one mapping', [0x40_0000]],
    ['a program and the kernel', [0x40_0000, 0xc000_5000]],
    ['more than are remembered', [0x40_0000, 0xc000_5000, 0x80_0000, 0x90_0000]],
  ] as const) {
    for (const global of [false, true]) {
      test(`is written through none of its mappings: ${name}${global ? ', global' : ''}`, () => {
        const tlb = mapped(linears, global);
        tlb.fill(0xa0_0000, walkTo(PAGE + 0x1000, global));
        tlb.protectCode(PAGE >>> 12);
        for (const linear of linears) {
          assert.equal(isWritable(tlb, linear), false);
          assert.equal(tlb.locate(linear, false, false), PAGE);
        }
        assert.equal(isWritable(tlb, 0xa0_0000), true);
      });
    }
  }

  test('may be written again, and be protected again', () => {
    const tlb = mapped([0x40_0000]);
    for (let i = 0; i < 3; i++) {
      tlb.protectCode(PAGE >>> 12);
      assert.equal(isWritable(tlb, 0x40_0000), false);
      tlb.fill(0x40_0000 + i * 0x1000, walkTo(PAGE, false));
      tlb.fill(0x40_0000, walkTo(PAGE, false));
    }
    assert.equal(isWritable(tlb, 0x40_0000), true);
  });

  test('a linear page that leads elsewhere by now stays writable', () => {
    const tlb = mapped([0x40_0000]);
    tlb.fill(0x40_0000, walkTo(PAGE + 0x1000, false));
    tlb.protectCode(PAGE >>> 12);
    assert.equal(isWritable(tlb, 0x40_0000), true);
  });
});
