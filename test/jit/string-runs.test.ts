import assert from 'node:assert/strict';
import test from 'node:test';
import { EXIT } from '../../src/cpu/processor.js';
import { EDI } from '../../src/cpu/state.js';
import { createMachine } from '../cpu/machine-code.js';
import { AT_ONCE, attachTranslator } from './attach.js';
import {
  assertSame,
  CODE_AT,
  DATA,
  type Mapping,
  MEMORY_BYTES,
  type Outcome,
  PagedMachine,
  PAGES,
  randomMappings,
  splitPages,
} from './paged-machine.js';
import { RandomNumbers } from './random-numbers.js';

/** Repeated MOVS and STOS, against a model that does one element after the other. */

const EAX_VALUES = [0, 0x2020_2020, 0x1234_1234, 0xffff_00ff, 0x89ab_cdef];

/** movs or stos with a repeat prefix, then INT3. */
function encode(moving: boolean, size: number): number[] {
  const opcode = (moving ? 0xa4 : 0xaa) + (size === 1 ? 0 : 1);
  return [...(size === 2 ? [0x66] : []), 0xf3, opcode, 0xcc];
}

interface Case {
  readonly moving: boolean;
  readonly size: number;
  readonly down: boolean;
  readonly count: number;
  readonly from: number;
  readonly to: number;
  readonly value: number;
  readonly mappings: readonly Mapping[];
}

function randomCase(random: RandomNumbers): Case {
  const size = 1 << random.below(3);
  const count = random.chance(10) ? 4000 + random.below(200) : random.below(random.chance(50) ? 40 : 2500);
  const within = (): number => DATA + random.below(PAGES * 4096);
  const from = within();
  const to = random.chance(40) ? from + random.below(64) - 32 : within();
  const align = (address: number): number => (random.chance(50) ? address & -size : address);
  return {
    moving: random.chance(70),
    size,
    down: random.chance(40),
    count,
    from: align(from),
    to: align(to),
    value: EAX_VALUES[random.below(EAX_VALUES.length)]!,
    mappings: randomMappings(random),
  };
}

function model(c: Case, memory: Uint8Array): Partial<Outcome> {
  let { from, to, count } = c;
  const step = c.down ? -c.size : c.size;
  const locate = (linear: number, writing: boolean): number => {
    const mapping = linear < DATA ? undefined : c.mappings[(linear - DATA) >>> 12];
    return mapping && (mapping.writable || !writing) ? mapping.page * 4096 + (linear & 0xfff) : -1;
  };
  /** The first byte, or that on the second page, that cannot be reached. */
  const missing = (linear: number, writing: boolean): number => {
    if (locate(linear, writing) < 0) return linear;
    const last = linear + c.size - 1;
    return locate(last, writing) < 0 ? last & ~0xfff : -1;
  };
  let fault = -1;
  let turns = 0;
  while (count > 0) {
    fault = c.moving ? missing(from, false) : -1;
    if (fault < 0) fault = missing(to, true);
    if (fault >= 0) break;
    const element = Array.from({ length: c.size }, (_, i) =>
      c.moving ? memory[locate(from + i, false)]! : (c.value >>> (8 * i)) & 0xff,
    );
    for (const [i, byte] of element.entries()) memory[locate(to + i, true)] = byte;
    if (c.moving) from += step;
    to += step;
    count--;
    if (count > 0 && count % 4096 === 0) turns++;
  }
  const registers = [c.value, count, 0, 0, 0x3000, 0, from, to];
  return { memory: splitPages(memory), registers, fault, retired: turns + (fault < 0 ? 2 : 0) };
}

test('repeated MOVS and STOS do what one element after the other would', () => {
  const random = new RandomNumbers(4);
  const machines = [new PagedMachine(false), new PagedMachine(true)];
  const bytes = Uint8Array.from({ length: MEMORY_BYTES }, () => random.next() & 0xff);
  for (let n = 0; n < 200; n++) {
    const c = randomCase(random);
    bytes.set(encode(c.moving, c.size), CODE_AT);
    const expected = model(c, bytes.slice());
    const registers = [c.value, c.count, 0, 0, 0x3000, 0, c.from, c.to];
    const start = { mappings: c.mappings, bytes, registers, eflags: c.down ? 0x402 : 2 };
    for (const [i, machine] of machines.entries()) {
      // The second time the TLB is filled.
      for (const time of [1, 2]) {
        const message = JSON.stringify({ n, machine: i, time, ...c, mappings: 0 });
        assertSame(
          machine.run(start, () => 1000),
          expected,
          message,
        );
      }
    }
  }
});

test('a register that gets back what it was before a repetition has it in the state too', () => {
  // mov edx, edi; mov ecx, 4; rep stosd; mov edi, edx; lea eax, [edi + 1]; int3
  const code = [0x89, 0xfa, 0xb9, 4, 0, 0, 0, 0xf3, 0xab, 0x89, 0xd7, 0x8d, 0x47, 0x01, 0xcc];
  const cpu = createMachine(code);
  attachTranslator(cpu, AT_ONCE);
  // The second time the TLB is filled.
  for (let time = 0; time < 2; time++) {
    cpu.state.eip = 0x1000;
    cpu.state.registers[EDI] = 0x8000;
    while (cpu.run(1000) === EXIT.budget);
    assert.deepEqual([cpu.exit.vector, cpu.state.registers[EDI], cpu.state.registers[0]], [3, 0x8000, 0x8001]);
  }
});
