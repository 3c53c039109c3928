import assert from 'node:assert/strict';
import type { Walk } from '../../src/cpu/board.js';
import { EXIT, Processor } from '../../src/cpu/processor.js';
import { CR4 } from '../../src/cpu/state.js';
import { GuestMemory } from '../../src/memory/guest-memory.js';
import { CS, DS, ES, FS, GS, SS, STATE } from '../../src/memory/layout.js';
import { BareBoard } from '../cpu/machine-code.js';
import { AT_ONCE, attachTranslator } from './attach.js';
import type { RandomNumbers } from './random-numbers.js';

/** A machine whose data is in pages that may be absent, read-only, or the same as others. */

export const MEMORY_BYTES = 1 << 17;
export const CODE_AT = 0x1000;
/** Linear pages of the data. */
export const PAGES = 12;
export const DATA = 0x10_0000;

/** Where a linear page of the data is, and whether it may be written; undefined: nowhere. */
export type Mapping = { readonly page: number; readonly writable: boolean } | undefined;

export function randomMappings(random: RandomNumbers): Mapping[] {
  return Array.from({ length: PAGES }, () =>
    random.chance(7) ? undefined : { page: 4 + random.below(16), writable: !random.chance(7) },
  );
}

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

export interface Start {
  readonly mappings: readonly Mapping[];
  /** All of memory, with the code at `CODE_AT`. */
  readonly bytes: Uint8Array;
  /** EAX … EDI. */
  readonly registers: readonly number[];
  readonly eflags: number;
}

export interface Outcome {
  /** A string for each page. */
  readonly memory: readonly string[];
  readonly registers: readonly number[];
  readonly eflags: number;
  readonly vector: number;
  /** Linear address of the page fault, or −1. */
  readonly fault: number;
  /** INT3 counts, an instruction that faults does not. */
  readonly retired: number;
}

export class PagedMachine {
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
    state.set(STATE.cr4, CR4.OSFXSR);
    cpu.fpuStateChanged();
    cpu.segmentsChanged();
    if (translated) attachTranslator(cpu, AT_ONCE);
  }

  /** Runs to the first exception, in turns of at most `slice()` instructions. */
  run(start: Start, slice: () => number): Outcome {
    const { memory, board, cpu } = this;
    const { state, exit } = cpu;
    memory.writeBytes(0, start.bytes);
    if (board.mappings !== start.mappings) {
      board.mappings = start.mappings;
      cpu.flushTlb();
    }
    state.registers.set(start.registers);
    memory.u8.fill(0, STATE.xmm, STATE.xmm + 128);
    state.eflags = start.eflags;
    state.eip = CODE_AT;
    state.retired = 0;
    while (cpu.run(slice()) === EXIT.budget);
    return {
      memory: splitPages(memory.bytes(0, MEMORY_BYTES)),
      registers: [...state.registers.subarray(0, 8)],
      eflags: state.eflags,
      vector: exit.vector,
      fault: exit.vector === 14 ? exit.cr2 : -1,
      retired: state.retired,
    };
  }
}

export function splitPages(memory: Uint8Array): string[] {
  return Array.from({ length: MEMORY_BYTES / 4096 }, (_, page) =>
    Buffer.from(memory.subarray(page * 4096, page * 4096 + 4096)).toString('latin1'),
  );
}

/** Fails without printing all of memory. */
export function assertSame(actual: Outcome, expected: Partial<Outcome>, message: string): void {
  for (const [name, value] of Object.entries(expected)) {
    if (name !== 'memory') assert.deepEqual(actual[name as keyof Outcome], value, `${name}: ${message}`);
  }
  for (const [page, text] of expected.memory!.entries())
    assert.ok(actual.memory[page] === text, `memory of page ${page}: ${message}`);
}
