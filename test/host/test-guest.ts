import { type GenerationTag, GENERATIONS } from '../../src/host/generation.js';
import { BLOCKED_INTERRUPTS, LAYOUTS, type LayoutName } from '../../src/host/guest-data.js';
import { type HostOptions, LguestHost } from '../../src/host/host.js';
import { EAX, EBX, ECX, EDX, ESI } from '../../src/cpu/state.js';
import { GuestMemory } from '../../src/memory/guest-memory.js';

/** A guest of a few bytes of machine code, and the world around it under the test's control. */

export const MEGABYTE = 1 << 20;
export const RAM_BYTES = 4 * MEGABYTE;
export const DEVICE_PAGES = 3;
/** Where tests put code, the kernel's stack top, `lguest_data`, text. */
export const CODE = 0x10_0000;
export const STACK = 0x12_0000;
export const DATA = 0x14_0000;
export const TEXT = 0x15_0000;
export const PAGE_OFFSET = 0xc000_0000;

export const INT_1F = [0xcd, 0x1f];
export const VMCALL = [0x0f, 0x01, 0xc1];
/** `jmp $` */
export const LOOP = [0xeb, 0xfe];

export class TestTime {
  ns = 5_000_000;
  seconds = 1_700_000_000;
  nanoseconds = 7;
  nowNs(): number {
    return this.ns;
  }
  wallClock(): readonly [number, number] {
    return [this.seconds, this.nanoseconds];
  }
}

export interface GuestOptions extends Partial<HostOptions> {
  ramBytes?: number;
}

/** Bytes of `value`, little-endian. */
export function word(value: number): number[] {
  return [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24];
}

/** Initial contents of `lguest_data` as the compiler lays them out (lguest-abi.md §3). */
export function writeGuestData(memory: GuestMemory, gpa: number, name: LayoutName, kernelAddress = PAGE_OFFSET): void {
  const layout = LAYOUTS[name];
  memory.fill(gpa, layout.size, 0);
  memory.write32(gpa + BLOCKED_INTERRUPTS, 1);
  memory.fill(gpa + layout.ringStatus, 64, 0xff);
  const noInterrupts = name === 'L0' ? 0xc010_0f00 : kernelAddress + 0x10_0f00;
  memory.write32(gpa + layout.noInterruptStart, noInterrupts);
  if (layout.noInterruptEnd >= 0) memory.write32(gpa + layout.noInterruptEnd, noInterrupts + 8);
  if (layout.kernelAddress >= 0) memory.write32(gpa + layout.kernelAddress, kernelAddress);
  if (layout.syscallVector >= 0) memory.write32(gpa + layout.syscallVector, 0x80);
}

export class TestGuest {
  readonly memory: GuestMemory;
  readonly time = new TestTime();
  readonly host: LguestHost;
  readonly notified: number[] = [];
  /** `call:arg1:ring` of every hypercall. */
  readonly calls: string[] = [];

  constructor(options: GuestOptions = {}) {
    const ramBytes = options.ramBytes ?? RAM_BYTES;
    this.memory = new GuestMemory(ramBytes + DEVICE_PAGES * 4096);
    this.host = new LguestHost({
      memory: this.memory,
      ramBytes,
      initrdBytes: 0,
      notifySink: { notify: (gpa) => this.notified.push(gpa), limit: ramBytes + 2 * 4096 },
      time: this.time,
      observer: {
        hypercall: (call, args, viaRing) => this.calls.push(`${call}:${args[0]}${viaRing ? ':ring' : ''}`),
      },
      ...options,
    });
    this.host.start(CODE);
  }

  get state() {
    return this.host.cpu.state;
  }
  get registers(): Uint32Array {
    return this.host.cpu.state.registers;
  }
  /** Text of the end, undefined while the guest lives. */
  get end(): string | undefined {
    return this.host.stopped?.text;
  }

  write(gpa: number, bytes: readonly number[]): this {
    this.memory.writeBytes(gpa, Uint8Array.from(bytes));
    return this;
  }

  /** Runs machine code that was put at `gpa` for at most `instructions`. */
  execute(bytes: readonly number[], instructions = 1000, gpa = CODE): 'running' | 'idle' | 'stopped' {
    this.write(gpa, [...bytes, ...LOOP]);
    this.state.eip = gpa;
    return this.host.run(instructions);
  }

  /** One hypercall by `int 0x1f` (or `vmcall`), run to its end and no further. */
  call(number: number, args: readonly number[] = [], instruction: readonly number[] = INT_1F): this {
    const saved = this.state.eip;
    this.write(CODE + 0x8000, instruction);
    this.state.eip = CODE + 0x8000;
    this.registers[EAX] = number;
    const order = this.host.generation?.generation.argumentRegisters ?? [EBX, ECX, EDX, ESI];
    args.forEach((arg, index) => {
      this.registers[order[index]!] = arg;
    });
    this.host.run(1);
    if (this.host.stopped === undefined) this.state.eip = saved;
    return this;
  }

  /** Passes LGUEST_INIT as a guest of generation `tag` would. */
  initialise(tag: GenerationTag): this {
    const { layout } = GENERATIONS[tag];
    writeGuestData(this.memory, DATA, layout);
    const usesVmcall = tag === 'C1' || tag === 'C2';
    this.registers[4] = STACK;
    this.call(1, [DATA], usesVmcall ? VMCALL : INT_1F);
    return this;
  }

  field(name: 'irqPending' | 'reserveMemory' | 'tscKhz' | 'pageDirectory' | 'ringStatus'): number {
    return this.memory.read32(DATA + this.host.data.layout[name]);
  }

  /** Leaves a call in slot `slot` of the ring: words as they are, status ready. */
  postToRing(slot: number, words: readonly number[]): this {
    const { layout } = this.host.data;
    words.forEach((value, index) => {
      this.memory.write32(DATA + layout.ringEntries + (slot * layout.ringEntryWords + index) * 4, value);
    });
    this.memory.write8(DATA + layout.ringStatus + slot, 0);
    return this;
  }
  ringStatus(slot: number): number {
    return this.memory.read8(DATA + this.host.data.layout.ringStatus + slot);
  }

  /** LOAD_IDT_ENTRY. Types: 0xe interrupt gate, 0xf trap gate. */
  gate(vector: number, handler: number, type = 0xe, dpl = 0): this {
    return this.call(6, [
      vector,
      ((0x60 << 16) | (handler & 0xffff)) >>> 0,
      ((handler & 0xffff_0000) | 0x8000 | (dpl << 13) | (type << 8)) >>> 0,
    ]);
  }

  /** The `count` words at the stack pointer. */
  frame(count: number): number[] {
    const esp = this.registers[4]!;
    return Array.from({ length: count }, (_, index) =>
      this.memory.read32(this.host.pageTables.locate(esp + 4 * index)),
    );
  }
}

/** Selectors of ring 3, and where its code and stack are put. */
export const USER_CS = 0x73;
export const USER_DS = 0x7b;
export const USER_CODE = 0x18_0000;
export const USER_STACK = 0x19_0000;

/** Goes to ring 3 with IRET and is about to execute `bytes` there; the kernel's stack is STACK. */
export function enterUser(guest: TestGuest, bytes: readonly number[], flags = 0x202): TestGuest {
  guest.call(18, [14, 0xffff, 0x00cf_fa00]).call(18, [15, 0xffff, 0x00cf_f200]).call(7, [0x69, STACK, 1]);
  guest.write(USER_CODE, [...bytes, ...LOOP]);
  guest.registers[4] = STACK;
  // push USER_DS; push USER_STACK; push flags; push USER_CS; push USER_CODE; iret
  const push = (value: number) => [0x68, ...word(value)];
  const frame = [USER_DS, USER_STACK, flags, USER_CS, USER_CODE].flatMap(push);
  guest.write(CODE + 0x9000, [...frame, 0xcf]);
  guest.state.eip = CODE + 0x9000;
  guest.host.run(6);
  return guest;
}

/** A guest that has passed LGUEST_INIT. */
export function initialisedGuest(tag: GenerationTag = 'C2', options: GuestOptions = {}): TestGuest {
  return new TestGuest(options).initialise(tag);
}
