import assert from 'node:assert/strict';
import test from 'node:test';
import type { Walk } from '../../src/cpu/board.js';
import { EXIT, Processor } from '../../src/cpu/processor.js';
import { GuestMemory } from '../../src/memory/guest-memory.js';
import { CS, DS, ES, FS, GS, SS, STATE } from '../../src/memory/layout.js';
import { ECX, EDI, ESI } from '../../src/cpu/state.js';
import { BareBoard } from '../cpu/machine-code.js';
import { AT_ONCE, attachTranslator } from './attach.js';
import { RandomNumbers } from './random-numbers.js';

/** Repeated MOVS and STOS, against a model that does one element after the other. */

const MEMORY_BYTES = 1 << 17;
const CODE_PAGE = 1;
/** Linear pages of the data; they begin at `DATA`. */
const PAGES = 12;
const DATA = 0x10_0000;
const EAX_VALUES = [0, 0x2020_2020, 0x1234_1234, 0xffff_00ff, 0x89ab_cdef];

/** Where a linear page of the data is: its guest page, whether it may be written; undefined: nowhere. */
type Mapping = { page: number; writable: boolean } | undefined;

class PagedBoard extends BareBoard {
  mappings: readonly Mapping[] = [];
  override walk(linear: number, access: number): Walk {
    if (linear < DATA) return super.walk(linear, access);
    const mapping = this.mappings[(linear - DATA) >>> 12];
    const walk = super.walk((mapping?.page ?? 0) * 4096, access);
    const writing = (access & 2) !== 0;
    if (!mapping || (writing && !mapping.writable)) return { ...walk, fault: (access & 6) | (mapping ? 1 : 0) };
    return { ...walk, supervisorWritable: mapping.writable };
  }
}

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
    // Several pages may be the same one.
    mappings: Array.from({ length: PAGES }, () =>
      random.chance(7) ? undefined : { page: 4 + random.below(16), writable: !random.chance(7) },
    ),
  };
}

interface Outcome {
  /** A string for each page. */
  readonly memory: readonly string[];
  readonly registers: readonly number[];
  /** Linear address of the page fault, or −1. */
  readonly fault: number;
  /** INT3 counts, an instruction that faults does not. */
  readonly retired: number;
}

function lines(memory: Uint8Array): string[] {
  return Array.from({ length: MEMORY_BYTES / 4096 }, (_, page) =>
    Buffer.from(memory.subarray(page * 4096, page * 4096 + 4096)).toString('latin1'),
  );
}

function model(c: Case, memory: Uint8Array): Outcome {
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
  return { memory: lines(memory), registers: [from, to, count], fault, retired: turns + (fault < 0 ? 2 : 0) };
}

class Machine {
  private readonly memory = new GuestMemory(MEMORY_BYTES);
  private readonly board = new PagedBoard(MEMORY_BYTES);
  private readonly cpu = new Processor(this.memory, this.board);

  constructor(translated: boolean) {
    const { cpu } = this;
    const { state } = cpu;
    for (const index of [ES, SS, DS, FS, GS])
      state.setSegment(index, { selector: 0x10, base: 0, limit: 0xffff_ffff, access: 0xc0_9300 });
    state.setSegment(CS, { selector: 0x08, base: 0, limit: 0xffff_ffff, access: 0xc0_9b00 });
    state.set(STATE.cr0, 0x1_0001);
    cpu.segmentsChanged();
    if (translated) attachTranslator(cpu, AT_ONCE);
  }

  run(c: Case, bytes: Uint8Array): Outcome {
    const { memory, board, cpu } = this;
    const { state } = cpu;
    memory.writeBytes(0, bytes);
    if (board.mappings !== c.mappings) {
      board.mappings = c.mappings;
      cpu.flushTlb();
    }
    state.registers.set([c.value, c.count, 0, 0, 0x3000, 0, c.from, c.to]);
    state.eflags = c.down ? 0x402 : 2;
    state.eip = CODE_PAGE * 4096;
    state.retired = 0;
    while (cpu.run(1000) === EXIT.budget);
    const { exit } = cpu;
    return {
      memory: lines(memory.bytes(0, MEMORY_BYTES)),
      registers: [ESI, EDI, ECX].map((register) => state.registers[register]!),
      fault: exit.vector === 14 ? exit.cr2 : -1,
      retired: state.retired,
    };
  }
}

function compare(actual: Outcome, expected: Outcome, message: string): void {
  const { memory, ...rest } = actual;
  const { memory: expectedMemory, ...expectedRest } = expected;
  assert.deepEqual(rest, expectedRest, message);
  for (const [page, text] of memory.entries()) assert.ok(text === expectedMemory[page], `page ${page}: ${message}`);
}

test('repeated MOVS and STOS do what one element after the other would', () => {
  const random = new RandomNumbers(4);
  const machines = [new Machine(false), new Machine(true)];
  const bytes = Uint8Array.from({ length: MEMORY_BYTES }, () => random.next() & 0xff);
  for (let n = 0; n < 200; n++) {
    const c = randomCase(random);
    bytes.set(encode(c.moving, c.size), CODE_PAGE * 4096);
    const expected = model(c, bytes.slice());
    for (const [i, machine] of machines.entries()) {
      // The second time the TLB is filled.
      for (const time of [1, 2])
        compare(machine.run(c, bytes), expected, JSON.stringify({ n, machine: i, time, ...c, mappings: 0 }));
    }
  }
});
