import { EXIT, type Processor } from '../../src/cpu/processor.js';
import type { RegionTranslator, TranslatorOptions } from '../../src/jit/index.js';
import { CR4 } from '../../src/cpu/state.js';
import { RAM_BASE, STATE } from '../../src/memory/layout.js';
import { createMachine } from '../cpu/machine-code.js';
import { AT_ONCE, attachTranslator } from './attach.js';
import { CODE_AT, CodeGenerator, DATA_AT, DATA_BEFORE, DATA_BYTES, startRegisters } from './random-code.js';
import { RandomNumbers } from './random-numbers.js';
import { NUMBERS_AT, randomMode, randomNumbers } from './random-sse.js';

/** Runs random programs on two processors, one of which translates, and tells where they differ. */

const MOST_INSTRUCTIONS = 20_000;
const MEMORY_BYTES = 1 << 18;

export class Comparison {
  private readonly interpreter = create();
  private readonly translating = create();
  readonly translator: RegionTranslator;
  /** Over what all programs so far have left behind, interpreted: the same on every platform. */
  checksum = 0;
  /** Programs that ended in a fault instead of their INT3. */
  faults = 0;

  /** Seed of the program whose code is in place. */
  private placed: number | undefined;

  constructor(options: Partial<TranslatorOptions> = {}) {
    this.translator = attachTranslator(this.translating, { ...AT_ONCE, ...options });
  }

  /** Undefined if both did the same. The same seed again finds its code translated. */
  run(seed: number): string | undefined {
    const code = new CodeGenerator(new RandomNumbers(seed)).program();
    const data = new RandomNumbers(seed + 1);
    const bytes = Uint8Array.from({ length: DATA_BYTES + DATA_BEFORE }, () =>
      data.chance(30) ? 0 : data.next() & 0xff,
    );
    const registers = startRegisters(data);
    const numbers = randomNumbers(data);
    const mode = randomMode(data);
    const flags = 0x202 | (data.next() & 0x8d5);
    for (const cpu of [this.interpreter, this.translating]) {
      const { memory, state } = cpu;
      memory.writeBytes(DATA_AT - DATA_BEFORE, bytes);
      memory.writeBytes(NUMBERS_AT, numbers);
      if (seed !== this.placed) memory.writeBytes(CODE_AT, code);
      state.registers.set(registers);
      state.eip = CODE_AT;
      state.eflags = flags;
      state.retired = 0;
      memory.u8.set(numbers.subarray(0, 128), STATE.xmm);
      state.set(STATE.mxcsr, mode);
      state.set(STATE.fpuControl, 0x37f);
      state.set(STATE.fpuStatus, 0);
      state.set(STATE.fpuTop, 0);
      state.set(STATE.fpuTag, 0xffff);
      for (const field of X87_FIELDS.slice(4)) state.set(field, 0);
      cpu.fpuStateChanged();
    }
    this.placed = seed;
    const plain = runToEnd(this.interpreter, () => 1 << 16);
    // The turns of the other one end anywhere.
    const translated = runToEnd(this.translating, () => (data.chance(50) ? 1 << 16 : 1 + data.below(60)));
    if (this.interpreter.exit.vector !== 3) this.faults++;
    const differences: string[] = [];
    if (plain !== translated) differences.push(`ended with ${plain}, translated ${translated}`);
    const a = describe(this.interpreter);
    const b = describe(this.translating);
    this.checksum = mix(this.checksum, new TextEncoder().encode(`${plain} ${Object.values(a).join()}`));
    this.checksum = mix(this.checksum, this.interpreter.memory.bytes(0, MEMORY_BYTES));
    for (const name of Object.keys(a))
      if (a[name] !== b[name]) differences.push(`${name} ${a[name]}, translated ${b[name]}`);
    for (let at = 0; at < MEMORY_BYTES; at++) {
      const x = this.interpreter.memory.u8[RAM_BASE + at];
      const y = this.translating.memory.u8[RAM_BASE + at];
      if (x === y) continue;
      differences.push(`memory at 0x${at.toString(16)}: ${x}, translated ${y}`);
      break;
    }
    if (differences.length === 0) return undefined;
    this.translating.memory.writeBytes(0, this.interpreter.memory.bytes(0, MEMORY_BYTES));
    return `seed ${seed}: ${differences.join('; ')}\n${hex(code)}`;
  }
}

function create(): Processor {
  const cpu = createMachine([], { at: CODE_AT, memoryBytes: MEMORY_BYTES });
  cpu.state.set(STATE.cr4, CR4.OSFXSR | CR4.OSXMMEXCPT);
  return cpu;
}

function runToEnd(cpu: Processor, slice: () => number): string {
  while (cpu.state.retired < MOST_INSTRUCTIONS) {
    const budget = Math.min(slice(), MOST_INSTRUCTIONS - cpu.state.retired);
    const reason = cpu.run(budget);
    if (reason === EXIT.budget) continue;
    const { exit } = cpu;
    return `exit ${reason} vector ${exit.vector} error ${exit.errorCode} cr2 ${exit.vector === 14 ? exit.cr2 : 0}`;
  }
  return 'no end';
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** FNV-1a. */
function mix(sum: number, bytes: Uint8Array): number {
  for (const byte of bytes) sum = Math.imul(sum ^ byte, 0x0100_0193);
  return sum;
}

const X87_FIELDS = [
  ...[STATE.fpuControl, STATE.fpuStatus, STATE.fpuTop, STATE.fpuTag],
  ...[STATE.fpuOpcode, STATE.fpuIp, STATE.fpuCs, STATE.fpuDp, STATE.fpuDs],
];

function describe({ state }: Processor): Record<string, string> {
  const names = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'];
  const values: Record<string, string> = {};
  names.forEach((name, i) => {
    values[name] = state.registers[i]!.toString(16);
  });
  values['eip'] = state.eip.toString(16);
  values['eflags'] = state.eflags.toString(16);
  values['x87'] = X87_FIELDS.map((at) => state.get(at)).join();
  values['registers'] = hex(state.memory.u8.subarray(STATE.fpuRegisters, STATE.fpuRegisters + 256));
  values['mxcsr'] = state.get(STATE.mxcsr).toString(16);
  values['retired'] = String(state.retired);
  return values;
}
