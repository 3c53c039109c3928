/** Runs the oracle's programs on our processor, interpreted or translated. */

import { ACCESS_WRITE, type Board, type Walk } from '../../src/cpu/board.js';
import { EXIT, Processor } from '../../src/cpu/processor.js';
import { CR4 } from '../../src/cpu/state.js';
import { GuestMemory } from '../../src/memory/guest-memory.js';
import { CS, DS, ES, FS, GS, SS, STATE } from '../../src/memory/layout.js';
import {
  type Answer,
  BASE,
  CODE_PAGES,
  CODE_PAGES_BYTES,
  DATA_PAGES,
  DATA_PAGES_BYTES,
  NO_END,
  type Question,
  START,
} from './layout.js';

const MEMORY_BYTES = 1 << 18;
const MOST_INSTRUCTIONS = 1_000_000;
/** P, U of a page fault's error code. */
const PRESENT = 1;
const USER = 4;

/** The pages of a program, for ring 3. Code cannot be written. */
class OracleBoard implements Board {
  private readonly result = {
    fault: -1,
    pageGpa: 0,
    userWritable: true,
    supervisorWritable: true,
    userReadable: true,
    executable: true,
    global: false,
  };
  walk(linear: number, access: number): Walk {
    const { result } = this;
    const page = (linear & ~0xfff) >>> 0;
    const isCode = page >= CODE_PAGES && page < CODE_PAGES + CODE_PAGES_BYTES;
    const isData = page >= DATA_PAGES && page < DATA_PAGES + DATA_PAGES_BYTES;
    const write = (access & ACCESS_WRITE) !== 0;
    result.pageGpa = page - BASE;
    result.userWritable = isData;
    result.supervisorWritable = isData;
    if (isCode && write) result.fault = PRESENT | USER | ACCESS_WRITE;
    else result.fault = isCode || isData ? -1 : USER | (access & ACCESS_WRITE);
    return result;
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

export class SequenceReplay {
  readonly processor: Processor;
  private readonly memory = new GuestMemory(MEMORY_BYTES);

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
    this.processor.segmentsChanged();
  }

  /** `slice`: the length of each next turn; the program must not notice. */
  answer(question: Question, slice = () => MOST_INSTRUCTIONS): Answer {
    const { processor, memory } = this;
    const { state } = processor;
    state.registers.set(question.registers);
    state.eflags = question.eflags;
    state.eip = START;
    state.retired = 0;
    memory.u8.set(question.xmm, STATE.xmm);
    memory.u8.fill(0, STATE.fpuRegisters, STATE.fpuRegisters + 128);
    state.set(STATE.mxcsr, 0x1f80);
    state.set(STATE.fpuControl, 0x37f);
    state.set(STATE.fpuStatus, 0);
    state.set(STATE.fpuTop, 0);
    state.set(STATE.fpuTag, 0xffff);
    processor.fpuStateChanged();
    memory.writeBytes(START - BASE, question.code);
    memory.writeBytes(DATA_PAGES - BASE, question.data);
    let reason: number = EXIT.budget;
    while (reason === EXIT.budget && state.retired < MOST_INSTRUCTIONS) {
      reason = processor.run(Math.min(slice(), MOST_INSTRUCTIONS - state.retired));
    }
    const { exit } = processor;
    const trapped = reason === EXIT.trap;
    return {
      registers: [...state.registers],
      eflags: state.eflags,
      eip: trapped ? exit.instructionEip : state.eip,
      vector: trapped ? exit.vector : NO_END,
      error: trapped && exit.vector !== 3 ? exit.errorCode : 0,
      cr2: trapped && exit.vector === 14 ? exit.cr2 : 0,
      control: state.get(STATE.fpuControl),
      status: (state.get(STATE.fpuStatus) & ~0x3800) | (state.get(STATE.fpuTop) << 11),
      tags: this.tags(),
      mxcsr: state.get(STATE.mxcsr),
      st: this.stack(),
      xmm: memory.u8.slice(STATE.xmm, STATE.xmm + 128),
      data: memory.bytes(DATA_PAGES - BASE, DATA_PAGES_BYTES).slice(),
    };
  }

  private stack(): Uint8Array {
    const bytes = new Uint8Array(80);
    const top = this.processor.state.get(STATE.fpuTop);
    for (let i = 0; i < 8; i++) {
      const at = STATE.fpuRegisters + 16 * ((top + i) & 7);
      bytes.set(this.memory.u8.subarray(at, at + 10), 10 * i);
    }
    return bytes;
  }

  private tags(): number {
    const word = this.processor.state.get(STATE.fpuTag);
    let bits = 0;
    for (let physical = 0; physical < 8; physical++) if (((word >> (2 * physical)) & 3) !== 3) bits |= 1 << physical;
    return bits;
  }
}
