import { ACCESS_FETCH } from '../cpu/board.js';
import type { Processor } from '../cpu/processor.js';
import { CS, SEGMENT, STATE } from '../memory/layout.js';
import { Disassembler } from './disassembler.js';

/** Longest instruction, bytes (SDM vol. 2, 2.3.11). */
const LONGEST_INSTRUCTION = 15;

/** Columns of the instruction bytes; most have at most seven. */
const BYTES_WIDTH = 14;

/** Instructions as a trace shows them: `c744240410000000 mov dword [esp+4],0x10`. */
export class InstructionReader {
  private readonly disassembler = new Disassembler();

  /** The instruction at `eip`. Nothing happens that the guest could notice and its fetch would not do, too. */
  describe(cpu: Processor, eip: number): string {
    let bytes = readCode(cpu, eip, false);
    if (bytes.length === 0) return '(cannot be fetched)';
    let { text, length } = this.disassembler.disassemble(bytes, eip, cpu.state.codeIs32);
    if (length === bytes.length && length < LONGEST_INSTRUCTION) {
      // It may go on in the next page.
      bytes = readCode(cpu, eip, true);
      ({ text, length } = this.disassembler.disassemble(bytes, eip, cpu.state.codeIs32));
    }
    const code = Array.from(bytes.subarray(0, length), (byte) => byte.toString(16).padStart(2, '0')).join('');
    return `${code.padEnd(BYTES_WIDTH)} ${text}`;
  }
}

/** The bytes at `eip`, at most 15: up to the end of their page or, if `nextPage`, as far as code can be fetched. */
function readCode(cpu: Processor, eip: number, nextPage: boolean): Uint8Array {
  const base = cpu.state.get(STATE.segments + CS * SEGMENT.stride + SEGMENT.base);
  const linear = (base + eip) >>> 0;
  const inPage = Math.min(LONGEST_INSTRUCTION, 0x1000 - (linear & 0xfff));
  const first = readPage(cpu, linear, inPage);
  if (!nextPage || first.length < inPage || inPage === LONGEST_INSTRUCTION) return first;
  const second = readPage(cpu, (linear + inPage) >>> 0, LONGEST_INSTRUCTION - inPage);
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

/** `length` bytes of one page, or none if they cannot be fetched. */
function readPage(cpu: Processor, linear: number, length: number): Uint8Array {
  try {
    const walk = cpu.board.walk(linear, ACCESS_FETCH);
    const gpa = walk.pageGpa + (linear & 0xfff);
    if (walk.fault >= 0 || gpa + length > cpu.memory.size) return new Uint8Array(0);
    return cpu.memory.bytes(gpa, length);
  } catch {
    // The walk found tables that the guest will be killed for, in a moment and not by us.
    return new Uint8Array(0);
  }
}
