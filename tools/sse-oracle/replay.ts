/** Answers the oracle's questions with our processor: decoder, rows and helpers. */

import { type Board, type Walk, ACCESS_USER } from '../../src/cpu/board.js';
import { EXIT } from '../../src/cpu/exit.js';
import { Processor } from '../../src/cpu/processor.js';
import { CR4 } from '../../src/cpu/state.js';
import { GuestMemory } from '../../src/memory/guest-memory.js';
import { CS, DS, ES, FS, GS, RAM_BASE, SS, STATE } from '../../src/memory/layout.js';
import {
  type Answer,
  ARITHMETIC_FLAGS,
  CODE,
  DATA,
  MEMORY_BYTES,
  OPERAND,
  PAGE,
  type Question,
  TAGS,
  TOP,
} from './layout.js';

const GPA_CODE = 0;
const GPA_DATA = PAGE;
const GPA_OPERAND = GPA_DATA + OPERAND - DATA;

/** Two pages for ring 3. */
class OracleBoard implements Board {
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
    const page = (linear & ~0xfff) >>> 0;
    this.result.pageGpa = page === CODE ? GPA_CODE : GPA_DATA;
    this.result.fault = page === CODE || page === DATA ? -1 : access | ACCESS_USER;
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

export class SseReplay {
  readonly processor: Processor;
  private readonly memory = new GuestMemory(2 * PAGE);

  constructor() {
    this.processor = new Processor(this.memory, new OracleBoard());
    const { state } = this.processor;
    for (const index of [ES, CS, SS, DS, FS, GS]) {
      const type = index === CS ? 0xfb00 : 0xf300;
      state.setSegment(index, { selector: 0x2b, base: 0, limit: 0xffff_ffff, access: 0xc0_0000 | type });
    }
    state.cpl = 3;
    state.set(STATE.cr0, 0x8005_0033);
    state.set(STATE.cr4, CR4.OSFXSR | CR4.OSXMMEXCPT);
    this.processor.fpuStateChanged();
    this.processor.segmentsChanged();
  }

  answer(question: Question): Answer {
    const { processor, memory } = this;
    const { state } = processor;
    memory.u8.set(question.xmm, STATE.xmm);
    question.mm.forEach((value, physical) => {
      memory.view.setBigUint64(STATE.fpuRegisters + 16 * physical, value, true);
      memory.view.setUint16(STATE.fpuRegisters + 16 * physical + 8, 0x3fff, true);
    });
    let tagWord = 0;
    for (let physical = 0; physical < 8; physical++) if ((TAGS & (1 << physical)) === 0) tagWord |= 3 << (2 * physical);
    state.set(STATE.fpuControl, 0x37f);
    state.set(STATE.fpuStatus, 0);
    state.set(STATE.fpuTop, TOP);
    state.set(STATE.fpuTag, tagWord);
    state.set(STATE.mxcsr, question.mxcsr);
    state.registers.set(question.registers);
    state.eflags = question.eflags;
    state.eip = CODE;
    memory.u8.set(question.memory, RAM_BASE + GPA_OPERAND);
    memory.writeBytes(GPA_CODE, Uint8Array.from([...question.code, 0xcc]));
    const reason = processor.run(16);
    const { exit } = processor;
    const completed = reason === EXIT.trap && exit.vector === 3;
    return {
      xmm: memory.u8.slice(STATE.xmm, STATE.xmm + 128),
      mm: this.registers(),
      memory: memory.u8.slice(RAM_BASE + GPA_OPERAND, RAM_BASE + GPA_OPERAND + MEMORY_BYTES),
      registers: state.registers.slice(),
      mxcsr: state.get(STATE.mxcsr),
      eflags: state.eflags & ARITHMETIC_FLAGS,
      cr2: !completed && exit.vector === 14 ? exit.cr2 : 0,
      exponents: this.exponents(),
      vector: completed ? 0 : reason === EXIT.trap ? exit.vector : 255,
      errorCode: completed ? 0 : exit.errorCode,
      top: state.get(STATE.fpuTop),
      tags: this.tags(),
    };
  }

  private registers(): Uint8Array {
    const bytes = new Uint8Array(64);
    for (let physical = 0; physical < 8; physical++) {
      const at = STATE.fpuRegisters + 16 * physical;
      bytes.set(this.memory.u8.subarray(at, at + 8), 8 * physical);
    }
    return bytes;
  }
  private exponents(): number {
    let bits = 0;
    for (let physical = 0; physical < 8; physical++)
      if (this.memory.view.getUint16(STATE.fpuRegisters + 16 * physical + 8, true) === 0xffff) bits |= 1 << physical;
    return bits;
  }
  private tags(): number {
    const word = this.processor.state.get(STATE.fpuTag);
    let bits = 0;
    for (let physical = 0; physical < 8; physical++) if (((word >> (2 * physical)) & 3) !== 3) bits |= 1 << physical;
    return bits;
  }
}
