/**
 * The pc board: what an unmodified 32-bit kernel of today needs, and nothing more. Two interrupt controllers, a timer,
 * a clock, a serial port, a PCI bus for virtio devices, and the paravirtual clock of KVM. No BIOS, no local APIC, no
 * ACPI, no screen.
 *
 * Invariants
 * - Nothing the guest does makes `run` throw, except what is a bug here.
 * - Machine time moves only between two slices of guest code, and never back.
 * - `cpu.interruptRequested` is the wire from the interrupt controller: whenever it goes up while the guest runs,
 *   `run` of the processor is asked to return, and whenever the guest sets IF while it is up, too.
 */
import type { Board, Walk } from '../cpu/board.js';
import { EXIT } from '../cpu/exit.js';
import { hasErrorCode, PF } from '../cpu/faults.js';
import { deliverInterrupt } from '../cpu/interrupt-delivery.js';
import { Processor } from '../cpu/processor.js';
import { CR0, CR4, EAX, EBX, ESI, ESP, FLAG } from '../cpu/state.js';
import type { GuestMemory } from '../memory/guest-memory.js';
import { CS, DIRECT_TRAPS, DS, ES, FS, GS, SS, STATE, TRAP_COUNTS } from '../memory/layout.js';
import { PageWalker, PAGING, type WalkerState } from '../memory/page-walk.js';
import type { VirtioDevice } from '../virtio/device.js';
import { VIRTIO_PCI_WINDOW, type VirtioPciState, VirtioPciTransport } from '../virtio/pci-transport.js';
import { IdleTicks } from './idle-ticks.js';
import { KvmClock, type KvmClockState, makePcModel, TSC_KHZ } from './kvm.js';
import { MachineRegisters, type MachineRegistersState, NO_EXECUTE_ENABLE } from './machine-registers.js';
import { PciBus, type PciBusState, PCI_WINDOW } from './pci.js';
import { InterruptController, type InterruptControllerState } from './pic.js';
import { IntervalTimer, type IntervalTimerState } from './pit.js';
import { PortSpace } from './ports.js';
import { Power } from './power.js';
import { RealTimeClock, type RealTimeClockState } from './rtc.js';
import { SERIAL_IRQ, SerialPort, type SerialPortState } from './serial.js';
import { type Stopped, stopGuest, stoppedBy } from './stop.js';

export type { Stopped } from './stop.js';

/** The machine's time, in nanoseconds from its start. */
export interface TimeSource {
  nowNs(): number;
  /** The same, cheaper and less exact, for what a guest asks often; it does not go back. */
  roughNs?(): number;
  /** Since 1970: [seconds, nanoseconds]. */
  wallClock(): readonly [number, number];
  /** Instructions that fit before `deadlineNs`, where time is instructions; otherwise undefined. */
  instructionsUntil?(deadlineNs: number): number | undefined;
}

/** Whoever wants to watch. Called before the event takes effect. */
export interface PcObserver {
  /** False: nobody wants to hear of `trap` for the time being. */
  readonly watchesTraps?: boolean;
  trap?(vector: number, errorCode: number, eip: number, cpl: number, address: number, reflected: boolean): void;
  interrupt?(irq: number, eip: number): void;
}

export interface PcBoardOptions {
  readonly memory: GuestMemory;
  readonly time: TimeSource;
  readonly observer?: PcObserver | undefined;
  /** Output of the serial port; the bytes are the receiver's. */
  output(bytes: Uint8Array): void;
  /** The serial port takes input again. */
  inputWanted(): void;
  warn(text: string): void;
  /** Time is the world's: ticks of an idle guest may be late (idle-ticks.ts). */
  readonly realTime?: boolean | undefined;
  /** Port of the debug exit; undefined: none. */
  readonly debugExitPort?: number | undefined;
  /** Puts another processor on the board; for tests. */
  readonly makeProcessor?: ((memory: GuestMemory, board: Board) => Processor) | undefined;
}

/** What a boot loader leaves in the processor. */
export interface StartState {
  /** Descriptor table, and the selectors of flat code and data in it. */
  readonly gdt: { base: number; limit: number; code: number; data: number };
  readonly eip: number;
  readonly eax: number;
  readonly ebx: number;
  readonly esi: number;
  readonly esp: number;
}

export interface PcBoardState {
  readonly version: 1;
  readonly walker: WalkerState;
  readonly pic: InterruptControllerState;
  readonly pit: IntervalTimerState;
  readonly rtc: RealTimeClockState;
  readonly serial: SerialPortState;
  readonly pci: PciBusState;
  readonly kvmClock: KvmClockState;
  readonly machineRegisters: MachineRegistersState;
  readonly devices: readonly VirtioPciState[];
  readonly halted: boolean;
  readonly stopped: Stopped | undefined;
}

export interface PcStatistics {
  readonly traps: readonly { vector: number; count: number }[];
  readonly interrupts: readonly { irq: number; count: number }[];
}

/**
 * Longest stretch between two looks at the clock, instructions. Where time is instructions it moves only between two
 * stretches, and a guest that waits for it must not wait long; real time moves anyway.
 */
const CLOCK_SLICE = 10_000;
const CLOCK_SLICE_REAL = 50_000;
const TIMER_IRQ = 0;
const CLOCK_IRQ = 8;
/** Interrupt lines of PCI devices, handed out in turn. */
const PCI_IRQS = [11, 10, 9, 5, 7, 3, 12, 15, 14, 6] as const;
const VECTORS = 256;
const LINES = 16;
/** Answer to a hypercall of KVM that we do not have: −KVM_ENOSYS. */
const NO_SUCH_HYPERCALL = -1000;

export class PcBoard implements Board {
  readonly cpu: Processor;
  readonly memory: GuestMemory;
  readonly ports = new PortSpace();
  readonly pic: InterruptController;
  readonly pit: IntervalTimer;
  readonly rtc: RealTimeClock;
  readonly serial: SerialPort;
  readonly pci: PciBus;
  readonly transports: VirtioPciTransport[] = [];
  /** Never run more instructions than this at once; 0: no limit. For tests. */
  sliceInstructions = 0;
  private readonly options: PcBoardOptions;
  private readonly walker: PageWalker;
  private readonly kvmClock: KvmClock;
  private readonly machineRegisters: MachineRegisters;
  /** Interrupt line → slots that hold it up. */
  private readonly lines = new Map<number, Set<number>>();
  private readonly trapCounts: Uint32Array;
  private readonly interruptCounts = new Uint32Array(LINES);
  private readonly idleTicks = new IdleTicks();
  /** An interrupt other than the timer's has been delivered since the guest last slept. */
  private disturbed = false;
  private halted = false;
  private ended: Stopped | undefined;

  constructor(options: PcBoardOptions) {
    const { memory, time } = options;
    this.options = options;
    this.memory = memory;
    this.walker = new PageWalker(memory, {
      strict: false,
      accessedInDirectories: true,
      flatUser: true,
      refuse: () => stopGuest('killed', 'page tables were refused'),
      flat: (linear) => linear,
    });
    this.walker.writeProtect = false;
    this.trapCounts = memory.u32.subarray(TRAP_COUNTS >> 2, (TRAP_COUNTS >> 2) + VECTORS);
    this.cpu = options.makeProcessor?.(memory, this) ?? new Processor(memory, this, makePcModel());
    const { ports } = this;
    const nowNs = (): number => time.nowNs();
    const wallClock = (): readonly [number, number] => time.wallClock();
    this.pic = new InterruptController(ports, () => this.interruptWireChanged());
    this.pit = new IntervalTimer(ports, nowNs);
    this.rtc = new RealTimeClock(ports, { nowNs, wallClock, setLine: (high) => this.pic.setLine(CLOCK_IRQ, high) });
    this.serial = new SerialPort(ports, {
      output: options.output,
      inputWanted: options.inputWanted,
      setLine: (high) => this.pic.setLine(SERIAL_IRQ, high),
    });
    this.pci = new PciBus(ports);
    new Power(ports, {
      restart: () => stopGuest('restart', 'restart'),
      debugExit: (value) => stopGuest('power-off', `debug exit ${value}`, (value * 2 + 1) & 0xff),
      debugExitPort: options.debugExitPort,
    });
    this.kvmClock = new KvmClock({ memory, nowNs, wallClock });
    this.machineRegisters = new MachineRegisters({
      ticks: () => ((time.roughNs?.() ?? time.nowNs()) * TSC_KHZ) / 1e6,
      onChange: () => this.pagingChanged(),
    });
  }

  /** Puts a device on the PCI bus. Before the guest runs. */
  addDevice(device: VirtioDevice): VirtioPciTransport {
    const slot = this.pci.nextSlot;
    const irq = PCI_IRQS[(slot - 1) % PCI_IRQS.length]!;
    const lines = this.lines;
    const transport = new VirtioPciTransport({
      memory: this.memory,
      device,
      windowGpa: PCI_WINDOW + slot * VIRTIO_PCI_WINDOW,
      irq,
      setLine: (high) => {
        // Devices that share a line hold it up together.
        const holders = lines.get(irq) ?? new Set<number>();
        lines.set(irq, holders);
        if (high) holders.add(slot);
        else holders.delete(slot);
        this.pic.setLine(irq, holders.size > 0);
      },
      warn: this.options.warn,
    });
    this.pic.setLevelTriggered(irq);
    this.pci.add(transport);
    this.transports.push(transport);
    return transport;
  }

  /** Puts the processor at the kernel's entry: protected mode, flat segments, no paging, interrupts off. */
  start(start: StartState): void {
    const { cpu } = this;
    const { state } = cpu;
    cpu.reset();
    state.set(STATE.cr0, CR0.PE | CR0.ET);
    state.set(STATE.gdtBase, start.gdt.base);
    state.set(STATE.gdtLimit, start.gdt.limit);
    const flat = { base: 0, limit: 0xffff_ffff };
    for (const index of [DS, ES, SS, FS, GS])
      state.setSegment(index, { ...flat, selector: start.gdt.data, access: 0xc0_9300 });
    state.setSegment(CS, { ...flat, selector: start.gdt.code, access: 0xc0_9b00 });
    state.eip = start.eip;
    state.registers[EAX] = start.eax;
    state.registers[EBX] = start.ebx;
    state.registers[ESI] = start.esi;
    state.registers[ESP] = start.esp;
    cpu.segmentsChanged();
    this.pagingChanged();
  }

  /** Set when the guest has come to its end; it never runs again. */
  get stopped(): Stopped | undefined {
    return this.ended;
  }

  /**
   * Runs at most `maxInstructions`. 'idle': the guest sleeps until `wakeAtNs` or an interrupt from a device.
   * Nothing that the guest does makes this throw.
   */
  run(maxInstructions: number): 'running' | 'idle' | 'stopped' {
    const { observer, memory } = this.options;
    memory.u32[DIRECT_TRAPS >> 2] = Number(observer?.trap === undefined || observer.watchesTraps === false);
    try {
      return this.runGuest(maxInstructions);
    } catch (error) {
      const stopped = stoppedBy(error);
      if (stopped === undefined) throw error;
      this.ended ??= stopped;
      return 'stopped';
    } finally {
      this.serial.flush();
    }
  }

  private runGuest(maxInstructions: number): 'running' | 'idle' | 'stopped' {
    const { cpu } = this;
    const { state } = cpu;
    const end = state.retired + maxInstructions;
    while (state.retired < end) {
      if (this.ended !== undefined) return 'stopped';
      this.updateTimers();
      this.deliverWaiting();
      if (this.halted) {
        if ((state.get(STATE.eflags) & FLAG.IF) === 0) stopGuest('power-off', 'the guest halted its processor');
        this.idleTicks.sleep(state.retired, this.pit.nextInterruptNs(), this.disturbed);
        this.disturbed = false;
        return 'idle';
      }
      const before = state.retired;
      const slice = cpu.interruptRequested && cpu.interruptShadow ? 1 : this.chooseSlice(end - before);
      this.handleExit(cpu.run(slice));
      // A guest that can only fault must get on in time and in its budget, too.
      if (state.retired === before && !this.halted) state.retired = before + 1;
    }
    return this.ended === undefined ? 'running' : 'stopped';
  }

  private chooseSlice(left: number): number {
    let slice = Math.min(left, this.options.realTime === true ? CLOCK_SLICE_REAL : CLOCK_SLICE);
    const { instructionsUntil } = this.options.time;
    if (instructionsUntil !== undefined) {
      const next = this.wakeAtNs();
      if (Number.isFinite(next)) slice = Math.min(slice, this.options.time.instructionsUntil!(next) ?? slice);
    }
    if (this.sliceInstructions > 0) slice = Math.min(slice, this.sliceInstructions);
    return Math.max(1, slice);
  }

  private handleExit(reason: number): void {
    const { cpu } = this;
    const { state, exit } = cpu;
    if (reason === EXIT.trap) {
      this.trap();
    } else if (reason === EXIT.halt) {
      this.halted = true;
    } else if (reason === EXIT.hypercall) {
      state.eip = (state.eip + exit.instructionLength) >>> 0;
      state.registers[EAX] = NO_SUCH_HYPERCALL;
    }
  }

  /** Delivers an interrupt that waits, if the guest lets it in; wakes it if it sleeps. */
  private deliverWaiting(): void {
    const { cpu } = this;
    const { state } = cpu;
    if (!cpu.interruptRequested || (state.get(STATE.eflags) & FLAG.IF) === 0 || cpu.interruptShadow) return;
    this.halted = false;
    const vector = this.pic.acknowledge();
    this.interruptCounts[this.pic.acknowledged]!++;
    if (this.pic.acknowledged !== TIMER_IRQ) this.disturbed = true;
    this.options.observer?.interrupt?.(this.pic.acknowledged, state.eip);
    if (deliverInterrupt(cpu, vector, undefined, 'external') === 'shutdown') this.shutDown();
  }

  /**
   * A triple fault resets a PC. With an empty interrupt table that is what the guest wants (the last resort of Linux);
   * otherwise the kernel is broken, and starting it again for ever would help nobody.
   */
  private shutDown(): never {
    const { state } = this.cpu;
    if (state.get(STATE.idtLimit) === 0) return stopGuest('restart', 'triple fault');
    return stopGuest('killed', `triple fault at 0x${state.eip.toString(16)}`);
  }

  private updateTimers(): void {
    const now = this.options.time.nowNs();
    if (this.pit.takeInterrupt(now)) this.pic.pulse(TIMER_IRQ);
    this.rtc.update(now);
  }

  private interruptWireChanged(): void {
    const { cpu, pic } = this;
    cpu.interruptRequested = pic.output;
    if (pic.output && (cpu.state.get(STATE.eflags) & FLAG.IF) !== 0) cpu.requestStop();
  }

  /** When a timer next interrupts, in machine time; Infinity if none will. */
  wakeAtNs(): number {
    let timer = this.pic.isMasked(TIMER_IRQ) ? Number.POSITIVE_INFINITY : this.pit.nextInterruptNs();
    if (this.halted && this.options.realTime === true && this.pit.isOneShot) timer = this.idleTicks.wakeAtNs(timer);
    const clock = this.pic.isMasked(CLOCK_IRQ) ? Number.POSITIVE_INFINITY : this.rtc.nextInterruptNs();
    return Math.min(timer, clock);
  }

  /** Ends the guest from outside its run. */
  kill(text: string): void {
    this.ended ??= { kind: 'killed', text };
  }

  // --- what the processor asks ----------------------------------------------------------------

  trap(): boolean {
    const { cpu } = this;
    const { state, exit } = cpu;
    const { vector, errorCode, kind } = exit;
    if (vector === PF) state.set(STATE.cr2, exit.cr2);
    this.trapCounts[vector]!++;
    this.options.observer?.trap?.(vector, errorCode, exit.instructionEip, state.cpl, exit.cr2, true);
    const code = kind !== 'software' && hasErrorCode(vector) ? errorCode : undefined;
    if (deliverInterrupt(cpu, vector, code, kind) === 'shutdown') this.shutDown();
    return true;
  }

  walk(linear: number, access: number): Walk {
    return this.walker.walk(linear, access);
  }
  portRead(port: number, size: number): number {
    return this.ports.read(port, size);
  }
  portWrite(port: number, size: number, value: number): void {
    this.ports.write(port, size, value);
  }
  mmioRead(gpa: number, size: number): number {
    return this.pci.readMemory(gpa, size);
  }
  mmioWrite(gpa: number, size: number, value: number): void {
    this.pci.writeMemory(gpa, size, size === 4 ? value >>> 0 : value & (2 ** (8 * size) - 1));
  }
  readTimestamp(): readonly [number, number] {
    return this.machineRegisters.timestamp();
  }
  readMsr(index: number): readonly [number, number] | undefined {
    return this.machineRegisters.read(index) ?? this.kvmClock.readMsr(index);
  }
  writeMsr(index: number, low: number, high: number): boolean {
    return this.machineRegisters.write(index, low, high) || this.kvmClock.writeMsr(index, low, high);
  }
  controlRegisterWritten(index: number): void {
    if (index === 3) this.walker.root = this.rootOf(this.cpu.state.get(STATE.cr3));
    else this.updateWalker();
  }

  private pagingChanged(): void {
    this.updateWalker();
    this.cpu.flushTlb();
  }

  /** The walker's settings are those of CR0, CR3, CR4 and EFER. */
  private updateWalker(): void {
    const { walker, cpu } = this;
    const cr0 = cpu.state.get(STATE.cr0);
    const cr4 = cpu.state.get(STATE.cr4);
    const pae = (cr4 & CR4.PAE) !== 0;
    walker.mode = (cr0 & CR0.PG) === 0 ? PAGING.flat : pae ? PAGING.pae : PAGING.twoLevel;
    walker.writeProtect = (cr0 & CR0.WP) !== 0;
    walker.largePages = (cr4 & CR4.PSE) !== 0;
    walker.globalPages = (cr4 & CR4.PGE) !== 0;
    walker.noExecute = (this.machineRegisters.efer & NO_EXECUTE_ENABLE) !== 0;
    walker.root = this.rootOf(cpu.state.get(STATE.cr3));
  }

  private rootOf(cr3: number): number {
    const pae = (this.cpu.state.get(STATE.cr4) & CR4.PAE) !== 0;
    return (cr3 & (pae ? 0xffff_ffe0 : 0xffff_f000)) >>> 0;
  }

  // --- looking in, saving ---------------------------------------------------------------------

  /** Where `linear` lies in guest-physical memory, or −1; sets nothing. */
  locate(linear: number): number {
    return this.walker.locate(linear);
  }

  get statistics(): PcStatistics {
    const list = (counts: Uint32Array): { index: number; count: number }[] =>
      Array.from(counts.entries()).flatMap(([index, count]) => (count > 0 ? [{ index, count }] : []));
    return {
      traps: list(this.trapCounts).map(({ index, count }) => ({ vector: index, count })),
      interrupts: list(this.interruptCounts).map(({ index, count }) => ({ irq: index, count })),
    };
  }

  save(): PcBoardState {
    return {
      version: 1,
      walker: this.walker.save(),
      pic: this.pic.save(),
      pit: this.pit.save(),
      rtc: this.rtc.save(),
      serial: this.serial.save(),
      pci: this.pci.save(),
      kvmClock: this.kvmClock.save(),
      machineRegisters: this.machineRegisters.save(),
      devices: this.transports.map((transport) => transport.save()),
      halted: this.halted,
      stopped: this.ended,
    };
  }

  /** Continues from `state`. Memory and processor must have been loaded before. */
  load(state: PcBoardState): void {
    this.machineRegisters.load(state.machineRegisters);
    this.walker.load(state.walker);
    this.pit.load(state.pit);
    this.rtc.load(state.rtc);
    this.serial.load(state.serial);
    this.pci.load(state.pci);
    this.kvmClock.load(state.kvmClock);
    state.devices.forEach((saved, index) => {
      this.transports[index]!.load(saved);
    });
    this.halted = state.halted;
    this.ended = state.stopped;
    // Last: the lines are part of its state.
    this.pic.load(state.pic);
    this.cpu.flushTlb();
  }
}
