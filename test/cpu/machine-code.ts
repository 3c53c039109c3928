import type { Board, Walk } from '../../src/cpu/board.js';
import { Processor } from '../../src/cpu/processor.js';
import { GuestMemory } from '../../src/memory/guest-memory.js';
import { CS, DS, ES, FS, GS, SS, STATE } from '../../src/memory/layout.js';

/** A board without anything: linear addresses are physical ones, ports read all ones. */
export class BareBoard implements Board {
  private readonly result: Walk = {
    fault: -1,
    pageGpa: 0,
    userWritable: true,
    supervisorWritable: true,
    userReadable: true,
    executable: true,
    global: false,
  };
  private readonly sizeBytes: number;
  constructor(sizeBytes: number) {
    this.sizeBytes = sizeBytes;
  }
  walk(linear: number, access: number): Walk {
    this.result.pageGpa = (linear & ~0xfff) >>> 0;
    this.result.fault = this.result.pageGpa < this.sizeBytes ? -1 : access & 6;
    return this.result;
  }
  portRead(_port: number, size: number): number {
    return size === 4 ? -1 : 2 ** (8 * size) - 1;
  }
  portWrite(_port: number, _size: number, _value: number): void {}
  mmioRead(): number {
    return -1;
  }
  mmioWrite(): void {}
  readTimestamp(): readonly [number, number] {
    return [0, 0];
  }
  readMsr(): undefined {
    return undefined;
  }
  writeMsr(): boolean {
    return false;
  }
  controlRegisterWritten(): void {}
}

/** A processor in flat 32-bit protected mode with `code` at linear address `at`, ready to run it. */
export function createMachine(
  code: readonly number[] | Uint8Array,
  { at = 0x1000, ring = 0, memoryBytes = 1 << 20 } = {},
): Processor {
  const memory = new GuestMemory(memoryBytes);
  const processor = new Processor(memory, new BareBoard(memoryBytes));
  const { state } = processor;
  const rights = 0xc0_9300 | (ring << 13);
  for (const index of [ES, SS, DS, FS, GS])
    state.setSegment(index, { selector: 0x10 | ring, base: 0, limit: 0xffff_ffff, access: rights });
  state.setSegment(CS, { selector: 0x08 | ring, base: 0, limit: 0xffff_ffff, access: rights | 0x800 });
  state.cpl = ring;
  state.set(STATE.cr0, 1);
  memory.writeBytes(at, Uint8Array.from(code));
  state.eip = at;
  state.registers[4] = memoryBytes - 16;
  processor.segmentsChanged();
  return processor;
}
