/** Answers the oracle's questions with our processor: decoder, rows and helpers. */

import type { Board, Walk } from '../../src/cpu/board.js';
import { EXIT } from '../../src/cpu/exit.js';
import { Processor } from '../../src/cpu/processor.js';
import { GuestMemory } from '../../src/memory/guest-memory.js';
import { CS, DS, ES, FS, GS, SS, STATE } from '../../src/memory/layout.js';
import { ANSWER_BYTES, IMAGE_BYTES, MEMORY_BYTES, physicalRegisters, type Question } from './layout.js';

const MEMORY_SIZE = 0x1_0000;
const CODE = 0x1000;
const OPERAND = 0x3000;
const RESULT = 0x4000;

/** Linear addresses are physical ones; there is nothing else. */
class BareBoard implements Board {
  private readonly result: Walk = {
    fault: -1,
    pageGpa: 0,
    userWritable: true,
    supervisorWritable: true,
    userReadable: true,
    executable: true,
    global: false,
  };
  walk(linear: number, access: number): Walk {
    this.result.pageGpa = (linear & ~0xfff) >>> 0;
    this.result.fault = this.result.pageGpa < MEMORY_SIZE ? -1 : access & 6;
    return this.result;
  }
  portRead(): number {
    return 0;
  }
  portWrite(): void {}
  mmioRead(): number {
    return 0;
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

export class Replay {
  private readonly memory = new GuestMemory(MEMORY_SIZE);
  readonly processor = new Processor(this.memory, new BareBoard());

  constructor() {
    const { state } = this.processor;
    for (const index of [ES, CS, SS, DS, FS, GS]) {
      const type = index === CS ? 0x9b00 : 0x9300;
      state.setSegment(index, { selector: 8, base: 0, limit: 0xffff_ffff, access: 0xc0_0000 | type });
    }
    state.set(STATE.cr0, 1);
    this.processor.segmentsChanged();
  }

  /** The bytes `oracle.c` would write. */
  answer(question: Question): Uint8Array {
    const { processor, memory } = this;
    const { state } = processor;
    this.setUnit(question.image);
    state.registers.fill(0);
    state.registers[7] = OPERAND;
    state.eflags = question.flags;
    state.eip = CODE;
    memory.writeBytes(OPERAND, question.memory);
    // fnsave [RESULT]
    memory.writeBytes(CODE, Uint8Array.from([...question.code, 0xdd, 0x35, 0, RESULT >> 8, 0, 0]));
    if (processor.run(2) !== EXIT.budget) throw new Error(`${question.name} raised exception ${processor.exit.vector}`);
    const answer = new Uint8Array(ANSWER_BYTES);
    const view = new DataView(answer.buffer);
    answer.set(memory.bytes(RESULT, IMAGE_BYTES));
    answer.set(memory.bytes(OPERAND, MEMORY_BYTES), IMAGE_BYTES);
    view.setUint32(620, state.eflags, true);
    view.setUint32(624, state.registers[0]!, true);
    return answer;
  }

  private setUnit(image: Uint8Array): void {
    const { state } = this.processor;
    const view = new DataView(image.buffer, image.byteOffset);
    const status = view.getUint16(4, true);
    state.set(STATE.fpuControl, view.getUint16(0, true));
    state.set(STATE.fpuStatus, status & 0x477f);
    state.set(STATE.fpuTop, (status >> 11) & 7);
    state.set(STATE.fpuTag, view.getUint16(8, true));
    const registers = physicalRegisters(image);
    for (let n = 0; n < 8; n++) {
      this.memory.u8.set(registers.subarray(10 * n, 10 * n + 10), STATE.fpuRegisters + 16 * n);
    }
    this.processor.fpuStateChanged();
  }
}
