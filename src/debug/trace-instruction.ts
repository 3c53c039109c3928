import { ACCESS_FETCH } from '../cpu/board.js';
import type { Processor } from '../cpu/processor.js';
import { CS, SEGMENT, STATE } from '../memory/layout.js';

/** Longest instruction, bytes (SDM vol. 2, 2.3.11). */
const LONGEST_INSTRUCTION = 15;

/** The instruction at `eip` in words, or what can be said of it. Nothing the guest can notice happens. */
export function describeInstruction(cpu: Processor, eip: number): string {
  const bytes = readCode(cpu, eip);
  if (bytes.length === 0) return '(cannot be fetched)';
  return Array.from(bytes.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

/** The bytes at `eip` up to the end of their page: at most 15. */
export function readCode(cpu: Processor, eip: number): Uint8Array {
  const base = cpu.state.get(STATE.segments + CS * SEGMENT.stride + SEGMENT.base);
  const linear = (base + eip) >>> 0;
  try {
    const walk = cpu.board.walk(linear, ACCESS_FETCH);
    const gpa = walk.pageGpa + (linear & 0xfff);
    if (walk.fault >= 0 || gpa >= cpu.memory.size) return new Uint8Array(0);
    return cpu.memory.bytes(gpa, Math.min(LONGEST_INSTRUCTION, 0x1000 - (linear & 0xfff), cpu.memory.size - gpa));
  } catch {
    // The walk found tables that the guest will be killed for, in a moment and not by us.
    return new Uint8Array(0);
  }
}
