import { deliverInterrupt } from '../../src/cpu/interrupt-delivery.js';
import { hasErrorCode } from '../../src/cpu/faults.js';
import { EXIT, Processor } from '../../src/cpu/processor.js';
import { FLAG } from '../../src/cpu/state.js';
import { GuestMemory } from '../../src/memory/guest-memory.js';
import { CS, DIRECT_TRAPS, DS, ES, FS, GS, SS, STATE, TR } from '../../src/memory/layout.js';
import { BareBoard } from '../cpu/machine-code.js';
import type { RandomNumbers } from './random-numbers.js';

/** Random code of a kernel: flags, segments, ports, traps and system calls, with interrupts that come at any time. */

const MEMORY_BYTES = 1 << 17;
const GDT_AT = 0x1000;
const IDT_AT = 0x2000;
const TSS_AT = 0x3000;
const HANDLERS_AT = 0x4000;
const ENTRY_AT = 0x5000;
const CODE_AT = 0x6000;
const DATA_AT = 0x1_0000;
/** Where the code of `ENTRY_AT` jumps to. */
const CONTINUE_AT = 0x1_1000;
const STACK_TOP = 0x1_8000;
const INNER_STACK_TOP = 0x1_c000;

const KERNEL_CODE = 0x08;
const KERNEL_DATA = 0x10;
const USER_DATA = 0x23;
/** Base `DATA_AT`. */
const OTHER_DATA = 0x28;
const TASK = 0x30;
const DESCRIPTORS: readonly (readonly [low: number, high: number])[] = [
  [0, 0],
  [0x0000_ffff, 0x00cf_9b00],
  [0x0000_ffff, 0x00cf_9300],
  [0x0000_ffff, 0x00cf_fb00],
  [0x0000_ffff, 0x00cf_f300],
  [0x0000_ffff, 0x00cf_9301],
  [(TSS_AT << 16) | 0x67, 0x0000_8b00],
];

/** Vector of the timer, and of a system call from any ring. */
const UNDEFINED_OPCODE = 6;
const TIMER = 0x20;
const CALL = 0x30;
/** Writing here asks for the timer interrupt. */
const TIMER_PORT = 0x40;

const MOST_INSTRUCTIONS = 30_000;

/**
 * Who delivers traps, and when: the board behind a run or, as far as it does that, at once; or the processor by itself,
 * as far as it can. Then nobody sees software interrupts.
 */
export type Traps = 'end runs' | 'at once' | 'direct';

/** A machine with one interrupt line. */
export class KernelMachine extends BareBoard {
  readonly cpu: Processor;
  /** What happened between instructions: when and where. */
  readonly events: string[] = [];

  constructor(private readonly traps: Traps = 'end runs') {
    super(MEMORY_BYTES);
    const memory = new GuestMemory(MEMORY_BYTES);
    this.cpu = new Processor(memory, this);
    memory.u32[DIRECT_TRAPS >> 2] = Number(traps === 'direct');
  }

  override portWrite(port: number): void {
    if (port !== TIMER_PORT) return;
    this.cpu.interruptRequested = true;
    if (this.cpu.state.get(STATE.eflags) & FLAG.IF) this.cpu.requestStop();
  }
  override readTimestamp(): readonly [number, number] {
    return [this.events.length, 1];
  }

  /** Where the processor asks: inside of a run, when `retired` is not up to date. */
  trap(): boolean {
    const { vector, instructionEip, kind } = this.cpu.exit;
    if (this.traps === 'end runs' || !this.isForgiven()) return false;
    if (this.traps !== 'direct' || kind !== 'software')
      this.events.push(`trap ${vector} at ${instructionEip.toString(16)}`);
    this.deliver();
    return true;
  }

  /** Other faults end the program: they would come again for ever. */
  private isForgiven(): boolean {
    const { vector, kind } = this.cpu.exit;
    return kind !== 'fault' || vector === UNDEFINED_OPCODE;
  }

  private deliver(): void {
    const { vector, errorCode, kind } = this.cpu.exit;
    const code = kind !== 'software' && hasErrorCode(vector) ? errorCode : undefined;
    deliverInterrupt(this.cpu, vector, code, kind);
  }

  start(code: readonly number[], data: Uint8Array): void {
    const { cpu } = this;
    const { state, memory } = cpu;
    this.events.length = 0;
    memory.fill(0, CODE_AT, 0);
    memory.writeBytes(CODE_AT, Uint8Array.from(code));
    memory.writeBytes(DATA_AT, data);
    DESCRIPTORS.forEach(([low, high], i) => {
      memory.write32(GDT_AT + 8 * i, low >>> 0);
      memory.write32(GDT_AT + 8 * i + 4, high);
    });
    for (let vector = 0; vector < 256; vector++) {
      const handler = HANDLERS_AT + 16 * vector;
      memory.write32(IDT_AT + 8 * vector, (KERNEL_CODE << 16) | handler);
      // The system call leaves interrupts on.
      memory.write32(IDT_AT + 8 * vector + 4, vector === CALL ? 0xef00 : 0x8e00);
      // inc dword [DATA_AT + 4 × vector]; pop the error code, if there is one, or skip an UD2; iret
      const count = [0xff, 0x05, ...word(DATA_AT + 4 * (vector & 63))];
      const pop = hasErrorCode(vector) ? [0x83, 0xc4, 4] : vector === UNDEFINED_OPCODE ? [0x83, 0x04, 0x24, 2] : [];
      memory.writeBytes(handler, Uint8Array.from([...count, ...pop, 0xcf]));
    }
    memory.writeBytes(ENTRY_AT, Uint8Array.from([0xff, 0x25, ...word(CONTINUE_AT)]));
    memory.write32(TSS_AT + 4, INNER_STACK_TOP);
    memory.write32(TSS_AT + 8, KERNEL_DATA);
    state.set(STATE.cr0, 1);
    state.set(STATE.gdtBase, GDT_AT);
    state.set(STATE.gdtLimit, 8 * DESCRIPTORS.length - 1);
    state.set(STATE.idtBase, IDT_AT);
    state.set(STATE.idtLimit, 0x7ff);
    state.set(STATE.sysenterCs, KERNEL_CODE);
    state.set(STATE.sysenterEsp, STACK_TOP);
    state.set(STATE.sysenterEip, ENTRY_AT);
    const flat = { base: 0, limit: 0xffff_ffff };
    for (const index of [ES, SS, DS, FS, GS])
      state.setSegment(index, { ...flat, selector: KERNEL_DATA, access: 0xc0_9300 });
    state.setSegment(CS, { ...flat, selector: KERNEL_CODE, access: 0xc0_9b00 });
    state.setSegment(TR, { base: TSS_AT, limit: 0x67, selector: TASK, access: 0x8b00 });
    state.cpl = 0;
    state.eip = CODE_AT;
    state.eflags = 2;
    state.retired = 0;
    state.registers.fill(0);
    state.registers[4] = STACK_TOP;
    cpu.interruptRequested = false;
    cpu.interruptShadow = false;
    cpu.segmentsChanged();
  }

  /** Until HLT or long enough, in turns of `slice` instructions. */
  run(slice: () => number): string {
    const { cpu, events } = this;
    const { state, exit } = cpu;
    while (state.retired < MOST_INSTRUCTIONS) {
      if (cpu.interruptRequested && state.get(STATE.eflags) & FLAG.IF && !cpu.interruptShadow) {
        cpu.interruptRequested = false;
        events.push(`interrupt behind ${state.retired} at ${state.eip.toString(16)}`);
        deliverInterrupt(cpu, TIMER, undefined, 'external');
      }
      const most = Math.min(slice(), MOST_INSTRUCTIONS - state.retired);
      const reason = cpu.run(cpu.interruptRequested && cpu.interruptShadow ? 1 : most);
      if (reason === EXIT.halt) return `halted behind ${state.retired}`;
      if (reason !== EXIT.trap) continue;
      const { vector, errorCode, kind } = exit;
      events.push(`${kind} ${vector} (${errorCode}) behind ${state.retired} at ${exit.instructionEip.toString(16)}`);
      if (!this.isForgiven()) return 'fault';
      this.deliver();
    }
    return 'too long';
  }
}

function word(value: number): number[] {
  return [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24];
}

/** A loop around random pieces, some of them in a function. */
export function kernelProgram(random: RandomNumbers): number[] {
  const code: number[] = [];
  // mov ebp, 12
  code.push(0xbd, ...word(12));
  const loop = code.length;
  const calls: number[] = [];
  for (let i = 4 + random.below(16); i > 0; i--) {
    if (random.chance(12)) calls.push(code.push(0xe8, 0, 0, 0, 0));
    else code.push(...piece(random, CODE_AT + code.length));
  }
  // dec ebp; jnz loop; hlt
  code.push(0x4d, 0x0f, 0x85);
  code.push(...word(loop - (code.length + 4)), 0xf4);
  for (const call of calls) {
    code.splice(call - 4, 4, ...word(code.length - call));
    for (let i = 1 + random.below(6); i > 0; i--) code.push(...piece(random, CODE_AT + code.length));
    code.push(0xc3);
  }
  return code;
}

/** A few instructions that leave the stack, DS, ES and SS as they were. */
function piece(random: RandomNumbers, at: number): number[] {
  const data = DATA_AT + 4 * random.below(64);
  const segment = [KERNEL_DATA, USER_DATA, OTHER_DATA, 0][random.below(4)]!;
  switch (random.below(26)) {
    case 0:
      return [0xfa];
    case 1:
      return [0xfb];
    case 2:
      return [0xfb, 0x9c, 0x9d];
    case 3: // pushf; cli; add eax, [data]; popf
      return [0x9c, 0xfa, 0x03, 0x05, ...word(data), 0x9d];
    case 4: // pushf; xor dword [esp], flag; popf
      return [
        0x9c,
        0x81,
        0x34,
        0x24,
        ...word([0x1, 0x40, 0x80, 0x200, 0x400, 0x800, 0x20_0000][random.below(7)]!),
        0x9d,
      ];
    case 5: // mov eax, ds; mov es, eax
      return [0x8c, 0xd8, 0x8e, 0xc0];
    case 6: // mov eax, segment; mov fs, eax
      return [0xb8, ...word(segment), 0x8e, 0xe0];
    case 7: // push fs; pop gs
      return [0x0f, 0xa0, 0x0f, 0xa9];
    case 8: // mov eax, OTHER_DATA; mov es, eax; inc dword es:[8]; push ds; pop es
      return [0xb8, ...word(OTHER_DATA), 0x8e, 0xc0, 0x26, 0xff, 0x05, ...word(8), 0x1e, 0x07];
    case 9: // out TIMER_PORT, al
    case 10:
      return [0xe6, TIMER_PORT];
    case 11: // in eax, 0x41; rdtsc
      return [0xe5, 0x41, 0x0f, 0x31];
    case 12: // mov eax, cr0; mov cr0, eax; mov cr3, eax; clts
      return [0x0f, 0x20, 0xc0, 0x0f, 0x22, 0xc0, 0x0f, 0x22, 0xd8, 0x0f, 0x06];
    case 13: // inc dword [data]; invlpg [data]; inc dword [data]
      return [0xff, 0x05, ...word(data), 0x0f, 0x01, 0x3d, ...word(data), 0xff, 0x05, ...word(data)];
    case 14: // xor eax, eax; cpuid
      return [0x31, 0xc0, 0x0f, 0xa2];
    case 15: // int CALL
      return [0xcd, CALL];
    case 16: // sti; int CALL
      return [0xfb, 0xcd, CALL];
    case 17: // push ss; pop ss; inc ebx
      return [0x16, 0x17, 0x43];
    case 18: // smsw eax; str edx; sldt ecx; lar esi, edx
      return [0x0f, 0x01, 0xe0, 0x0f, 0x00, 0xca, 0x0f, 0x00, 0xc1, 0x0f, 0x02, 0xf2];
    case 19: // into; verw dx
      return [0xce, 0x0f, 0x00, 0xea];
    case 20:
      return throughUserMode(at);
    case 21: // pushf; push cs; push behind; iret
      return [0x9c, 0x0e, 0x68, ...word(at + 8), 0xcf];
    case 22: // ltr would be busy; lgdt instead, of what is there: sgdt [data]; lgdt [data]
      return [0x0f, 0x01, 0x05, ...word(DATA_AT + 0x800), 0x0f, 0x01, 0x15, ...word(DATA_AT + 0x800)];
    case 23: // ud2; sti; ud2
      return [0x0f, 0x0b, 0xfb, 0x0f, 0x0b];
    default: // add [data], ebx; adc ecx, [data]; test ebx, ecx
      return [0x01, 0x1d, ...word(data), 0x13, 0x0d, ...word(data), 0x85, 0xcb];
  }
}

/**
 * SYSEXIT to code behind itself, which makes a system call with a gate and one with SYSENTER, and goes on in the
 * kernel with DS and ES as before.
 */
function throughUserMode(at: number): number[] {
  const kernel = (next: number): number[] => [
    ...[0xc7, 0x05, ...word(CONTINUE_AT), ...word(next)], // mov dword [CONTINUE_AT], next
    ...[0x89, 0x25, ...word(CONTINUE_AT + 4)], // mov [CONTINUE_AT + 4], esp
    ...[0x89, 0xe1, 0xba, ...word(at + 25)], // mov ecx, esp; mov edx, user
    ...[0x0f, 0x35],
  ];
  // mov eax, USER_DATA; mov ds, eax; mov es, eax; ud2; int CALL; inc ecx; pushf; popf; sysenter
  const data = [0xb8, ...word(USER_DATA), 0x8e, 0xd8, 0x8e, 0xc0];
  const user = [...data, 0x0f, 0x0b, 0xcd, CALL, 0x41, 0x9c, 0x9d, 0x0f, 0x34];
  const behind = at + kernel(0).length + user.length;
  // mov esp, [CONTINUE_AT + 4]; mov eax, KERNEL_DATA; mov ds, eax; mov es, eax
  const back = [0x8b, 0x25, ...word(CONTINUE_AT + 4), 0xb8, ...word(KERNEL_DATA), 0x8e, 0xd8, 0x8e, 0xc0];
  return [...kernel(behind), ...user, ...back];
}
