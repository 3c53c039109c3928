import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GenerationTag } from '../../src/host/generation.js';
import { LAYOUTS } from '../../src/host/guest-data.js';
import { randomSource } from './random.js';
import { CODE, DATA, INT_1F, MEGABYTE, STACK, TestGuest, VMCALL, word, writeGuestData } from './test-guest.js';

/**
 * Guests that do anything at all. Whatever they do, they end with a text of lguest-abi.md, Appendix A, or run on; no
 * exception escapes and every case takes a bounded number of instructions.
 */

const FATAL =
  /^(bad (guest page|read address|write address|page table entry|page directory entry|page middle directory entry|stack|syscall vector|kernel address|IDT type)|Bad (address|hypercall)|hypercall \d+ before INIT|already have lguest_data|unhandled trap \d+ at |too many gdt entries|Setting idt entry|CRASH: |Power down$|restart$|this kernel is an lguest guest of generation|no room for page tables)/;

const INSTRUCTIONS = 1500;
const CASES = Number(process.env['LGUEST_FUZZ_CASES'] ?? 1000);

/** A reusable machine: `reset` gives it a past of zeros again. */
class Victim {
  readonly guest = new TestGuest({ ramBytes: 2 * MEGABYTE, generation: { pae: undefined } });
  private readonly host = this.guest.host.save();
  private readonly cpu = this.guest.host.cpu.save();

  reset(): void {
    this.guest.memory.fill(0, this.guest.memory.size, 0);
    this.guest.host.cpu.load(this.cpu);
    this.guest.host.load(this.host);
    this.guest.notified.length = 0;
    this.guest.calls.length = 0;
  }
}

function runCases(seed: number, prepare: (guest: TestGuest, random: () => number) => void): void {
  const random = randomSource(seed);
  const victim = new Victim();
  const { guest } = victim;
  for (let round = 0; round < CASES; round++) {
    victim.reset();
    prepare(guest, random);
    for (let turn = 0; turn < 3 && guest.end === undefined; turn++) {
      const { retired } = guest.state;
      guest.host.run(INSTRUCTIONS);
      assert.ok(guest.state.retired - retired <= INSTRUCTIONS);
      guest.time.ns += random() % 10_000_000;
      guest.host.raiseInterrupt(random() % 32);
    }
    if (guest.end !== undefined) assert.match(guest.end, FATAL, `round ${round}`);
  }
}

function randomBytes(length: number, random: () => number): number[] {
  return Array.from({ length }, () => random() & 0xff);
}

test('random bytes as kernel', () => {
  runCases(1, (guest, random) => guest.write(CODE, randomBytes(256, random)));
});

/** Machine code that makes hypercalls with random arguments, writes random words and stumbles over random bytes. */
function hypercallProgram(random: () => number): number[] {
  const addresses = [0, CODE, DATA, DATA + 24, DATA + 88, STACK, 2 * MEGABYTE, 0xc000_0000 + DATA, 0xffff_ffff];
  const value = () => {
    const choice = random();
    if (choice % 3 === 0) return random();
    if (choice % 3 === 1) return addresses[(choice >>> 4) % addresses.length]! + ((choice >>> 8) & 0x3c);
    return (choice >>> 4) % 300;
  };
  const code: number[] = [];
  while (code.length < 600) {
    const what = random() % 16;
    if (what < 10) {
      const number = random() % 8 === 0 ? random() : random() % 20;
      // SHUTDOWN ends too soon to find anything.
      code.push(0xb8, ...word(number === 2 ? 0 : number), 0xbb, ...word(value()), 0xb9, ...word(value()));
      code.push(0xba, ...word(value()), 0xbe, ...word(value()), ...(random() % 2 ? INT_1F : VMCALL));
    } else if (what < 14) {
      code.push(0xc7, 0x05, ...word(DATA + ((random() % 1400) & ~3)), ...word(value()));
    } else {
      code.push(...randomBytes(random() % 4, random));
    }
  }
  return code;
}

for (const tag of ['C1', 'C2', 'D1', 'D2'] as const satisfies readonly GenerationTag[]) {
  test(`random hypercalls of ${tag}`, () => {
    runCases(tag.charCodeAt(0) * 256 + tag.charCodeAt(1), (guest, random) => {
      guest.initialise(tag);
      guest.write(CODE, hypercallProgram(random));
      guest.state.eip = CODE;
      for (let slot = 0; slot < 4; slot++) {
        if (random() % 2)
          guest.postToRing(slot, [random() % 20, random() % (2 * MEGABYTE), random() % 300, random(), 0]);
      }
    });
  });
}

test('random contents of lguest_data', () => {
  runCases(77, (guest, random) => {
    const layout = (['L0', 'L1', 'L2', 'L3', 'L4'] as const)[random() % 5]!;
    writeGuestData(guest.memory, DATA, layout);
    for (let change = random() % 3; change > 0; change--) {
      guest.memory.write32(DATA + ((random() % LAYOUTS[layout].size) & ~3), random());
    }
    const program = hypercallProgram(random);
    guest.write(CODE, [0xb8, ...word(1), 0xba, ...word(DATA), 0xbb, ...word(DATA), ...INT_1F, ...program]);
  });
});

test('random page tables', () => {
  runCases(99, (guest, random) => {
    guest.initialise(random() % 2 ? 'C2' : 'D2');
    const directory = 0x16_0000;
    for (let i = 0; i < 64; i++) {
      const entry = random() % 3 ? ((random() % (2 * MEGABYTE)) & ~0xfff) | (random() & 0x67) : random();
      guest.memory.write32(directory + ((random() % 4096) & ~3), entry);
      guest.memory.write32(0x17_0000 + ((random() % 4096) & ~3), entry);
    }
    // The code stays mapped, mostly.
    guest.memory.write32(directory, 0x17_0007);
    for (let page = 0x100; page < 0x180; page++) guest.memory.write32(0x17_0000 + page * 4, (page << 12) | 7);
    guest.call(4, [directory]);
    if (guest.end === undefined) guest.state.eip = CODE;
    guest.write(CODE, [0xa1, ...word(random()), 0xa3, ...word(random()), ...hypercallProgram(random)]);
  });
});
