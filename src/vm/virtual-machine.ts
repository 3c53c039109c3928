/*L:160
 * The life of a machine
 *
 * `VirtualMachine` is what the command and every other program see: it starts a machine, lets it run in small turns
 * between which the rest of the program lives on, passes bytes in and out of its console, and tells when and why it
 * ended. The guest may restart in between as often as it likes; the machine's owner need not care.
 */
import type { BootFile } from '../boot/image.js';
import { useBuiltModules } from './built-modules.js';
import { Profile, type ProfileRow } from '../debug/profile.js';
import { mayHaveSymbols, readSymbols, type SymbolTable } from '../debug/symbols.js';
import type { DetectedGeneration } from '../host/host.js';
import { detectPlatform } from '../platform/detect.js';
import type { Platform } from '../platform/platform.js';
import type { TerminalSize } from '../virtio/console-ports.js';
import { BackgroundMaker } from './background-maker.js';
import { type ClockState, type MachineClock, RealClock, VirtualClock } from './clock.js';
import type { Ending } from './ending.js';
import { Events } from './events.js';
import { InputQueue } from './input-queue.js';
import { LaunchError } from './launch-error.js';
import { loadFile } from './load-files.js';
import { LguestMachine } from './lguest-machine.js';
import { guestConsole, type MachineConsole, plainConsole } from './machine-console.js';
import type { BoardName, LastHypercall, Machine } from './machine.js';
import { DEFAULT_MEMORY_MEGABYTES, MEGABYTE, parseMemory, type VirtualMachineOptions } from './options.js';
import { PcMachine } from './pc-machine.js';
import { type PreparedKernel, prepareKernel } from './prepare-kernel.js';
import { SeededRandom } from './random.js';
import { type LoopResult, RunLoop, type TurnResult } from './run-loop.js';
import { Sampler } from './sampler.js';
import { addStatistics, emptyCounts, type MachineCounts, type Statistics } from './statistics.js';
import { TaskInput } from './task-input.js';
import { Watcher } from './watcher.js';

/** What a machine tells, and with what. */
export interface MachineEvents {
  /** Console output; the bytes are the listener's. */
  output: [bytes: Uint8Array];
  /** `write` may be called again after it returned false. */
  drain: [];
  /** A hypercall is about to be served; `args` are four unsigned numbers, reused afterwards. */
  hypercall: [call: number, args: readonly number[], viaRing: boolean];
  trap: [vector: number, errorCode: number, eip: number, cpl: number, address: number, reflected: boolean];
  interrupt: [irq: number, eip: number];
  /** The guest has introduced itself (LGUEST_INIT). */
  initialised: [guest: DetectedGeneration];
  /** The guest has restarted; it boots anew. */
  restart: [];
  /** A guest with a task (`VirtualMachineOptions.task`) is up and about to do it. */
  ready: [];
  /** Something odd that does not end the guest. */
  warning: [text: string];
  ended: [ending: Ending];
}

export type { BoardName, LastHypercall } from './machine.js';

/** A whole machine between two turns, as a value. */
export interface Snapshot {
  version: 1;
  board: BoardName;
  machine: unknown;
  clock: ClockState;
  /** Input of the console and of the task that the guest has not been offered yet. */
  input: Uint8Array[];
  stdin: Uint8Array[];
  /** Instructions of the lives before the last restart. */
  earlierInstructions: number;
  /** Of the generator behind the entropy device, if it is ours. */
  random: Uint32Array | undefined;
}

/** Everything a boot needs; read again at every restart. */
interface Files {
  kernel: BootFile;
  initrd: BootFile | undefined;
  prepared: PreparedKernel;
}

/** The sentences of endings that are not the guest's own. */
const ENDINGS: Record<Exclude<LoopResult, 'stopped'>, Ending> = {
  asked: { reason: 'stopped', text: 'stopped' },
  'instruction-limit': { reason: 'instruction-limit', text: 'the limit of instructions is reached' },
  'time-limit': { reason: 'time-limit', text: 'the limit of time is reached' },
  asleep: { reason: 'asleep', text: 'the guest sleeps, and nothing can ever wake it' },
};

/**
 * A virtual machine.
 *
 * ```ts
 * await using vm = await VirtualMachine.start({ memory: 64, kernel: 'vmlinux', initrd: 'root.cpio.gz' });
 * vm.on('output', (bytes) => process.stdout.write(bytes));
 * vm.write('uname -a\n');
 * const ending = await vm.ended;
 * ```
 */
export class VirtualMachine {
  /** Resolves when the machine has come to its end. Rejects only if lguest itself, or a listener, is broken. */
  readonly ended: Promise<Ending>;
  private readonly options: VirtualMachineOptions;
  private readonly platform: Platform;
  private readonly ramBytes: number;
  private readonly clock: MachineClock;
  private readonly loop: RunLoop;
  private readonly input: InputQueue;
  /** Input of the command that is the guest's task. */
  readonly stdin: TaskInput;
  private readonly events = new Events<MachineEvents>();
  private readonly watcher: Watcher;
  private readonly samples: Profile | undefined;
  private readonly sampler: Sampler;
  private readonly startNs: number;
  private readonly startCpuNs: number | undefined;
  /** Undefined: nothing is translated, or it has to be done exactly where the guest is. */
  private readonly background: BackgroundMaker | undefined;
  private console!: MachineConsole;
  private machine: Machine;
  /** Undefined once the guest has been loaded, for they are as large as the rest of us. */
  private files: Files | undefined;
  /** The kernel as an ELF file, if it has symbols. */
  private symbolFile: Uint8Array | undefined;
  private random: SeededRandom | undefined;
  private inputEnded = false;
  /** What the guest said its task ended with. */
  private exitStatus: number | undefined;
  private terminalSize: TerminalSize | undefined;
  private resetAsked = false;
  private ending: Ending | undefined;
  private restarts = 0;
  /** Sums over the lives before the last restart. */
  private earlierInstructions = 0;
  private earlierCounts: MachineCounts = emptyCounts();
  /** `instructions` at the last move to a new machine, for `TortureOptions.saveEvery`. */
  private savedAt = 0;
  /** Undefined: not looked for yet; null: there are none. */
  private symbols: SymbolTable | null | undefined;
  private begin: () => void = () => {};

  /**
   * Builds a machine, boots it and lets it run. Resolves once the guest is about to run its first instruction;
   * rejects with a `LaunchError` or `BootError`, whose message is a sentence for people, if it cannot.
   */
  static async start(options: VirtualMachineOptions): Promise<VirtualMachine> {
    const machine = await VirtualMachine.create(options);
    machine.run();
    return machine;
  }

  /** As `start`, but the guest waits for `run`, so that one can listen from the first instruction on. */
  static async create(options: VirtualMachineOptions): Promise<VirtualMachine> {
    const platform = options.platform ?? (await detectPlatform());
    // What is wrong with the command line comes before what is wrong with the files.
    const { memory, board = 'auto' } = options;
    if (memory !== undefined) parseMemory(memory, board === 'lguest' ? 'lguest' : 'pc');
    // The processor is put together while the files are read.
    const [files] = await Promise.all([loadFiles(platform, options), useBuiltModules(platform, options.jit !== false)]);
    const found = files.prepared.board;
    const ramBytes = parseMemory(memory ?? DEFAULT_MEMORY_MEGABYTES[found], found);
    let symbols: SymbolTable | undefined;
    if (options.symbols !== undefined) {
      const file = await loadFile(platform, options.symbols, 'the symbol file');
      symbols = readSymbols(file.bytes);
      if (symbols === undefined) {
        throw new LaunchError(
          `${file.name} has no symbols in it: name a System.map or an ELF vmlinux that was not stripped.`,
        );
      }
    }
    return new VirtualMachine(options, platform, ramBytes, files, symbols);
  }

  private constructor(
    options: VirtualMachineOptions,
    platform: Platform,
    ramBytes: number,
    files: Files,
    symbols: SymbolTable | undefined,
  ) {
    this.options = options;
    this.platform = platform;
    this.ramBytes = ramBytes;
    this.files = files;
    this.symbols = symbols;
    this.startNs = platform.monotonicNs();
    this.startCpuNs = platform.cpuTimeNs();
    const retired = (): number => this.instructions;
    this.clock = options.clock === 'virtual' ? new VirtualClock(retired) : new RealClock(platform, retired);
    this.terminalSize = options.terminalSize;
    this.input = new InputQueue(
      (bytes) => this.machine.offerInput(bytes),
      () => this.events.emit('drain'),
    );
    this.stdin = new TaskInput(
      (bytes) => this.machine.deliver(() => this.console.stdin?.(bytes) ?? bytes.length),
      () => void this.machine.deliver(() => this.console.endStdin?.() ?? 0),
      () => this.loop.wake(),
    );
    this.watcher = new Watcher(this.events, options.trace, {
      retired,
      peek: (gpa, length) => this.machine.peek(gpa, length),
      generation: () => this.machine.guest?.generation.tag,
      symbol: (address) => this.symbolAt(address),
    });
    if (options.profile === true) this.samples = new Profile((address) => this.symbolTable?.find(address)?.name);
    this.sampler = new Sampler(() => platform.monotonicNs(), this.clock.kind === 'virtual', this.samples);
    this.loop = new RunLoop(platform, this.clock, options);
    this.loop.canBeWoken = () => !this.inputEnded || (options.task !== undefined && !this.stdin.ended);
    this.loop.blocked = () => options.output?.ready?.();
    this.loop.beforePause = () => this.watcher.flush();
    const threads = platform.startMakerThread !== undefined && options.jitThread !== false;
    if (threads && options.jit !== false && this.clock.kind === 'real') this.background = new BackgroundMaker(platform);
    this.machine = this.build();
    if (options.input !== undefined && options.input !== 'open') {
      this.write(options.input);
      this.endInput();
    }
    const begun = new Promise<void>((resolve) => {
      this.begin = resolve;
    });
    this.ended = begun.then(() => this.live());
    // Whoever never asks how it ended must not be ended by that.
    this.ended.catch(() => {});
  }

  /** Lets a machine made with `create` run. */
  run(): void {
    this.begin();
  }

  /** Calls `listener` on every event of that name; the result takes it back. */
  on<Name extends keyof MachineEvents>(event: Name, listener: (...args: MachineEvents[Name]) => void): () => void {
    return this.events.on(event, listener);
  }

  /** Console input. False: that is enough for now, wait for 'drain' (nothing is lost either way). */
  write(input: Uint8Array | string): boolean {
    const more = this.input.push(typeof input === 'string' ? new TextEncoder().encode(input) : input);
    this.loop.wake();
    return more;
  }

  /** No more input will come. The guest goes on; it only matters to limits (see the ending 'asleep'). */
  endInput(): void {
    this.inputEnded = true;
    this.loop.wake();
  }

  /** The terminal around the console has another size; only guests with a task learn of it. */
  resize(size: TerminalSize): void {
    this.terminalSize = size;
    this.machine.deliver(() => this.console.resize?.(size) ?? 0);
    this.loop.wake();
  }

  /** Stops running guest code, after the present turn. Its clock goes on. */
  pause(): void {
    this.loop.pause();
  }
  resume(): void {
    this.loop.resume();
  }

  /** Restarts the guest as if it had asked for it: fresh memory, files read again. */
  reset(): void {
    this.resetAsked = true;
    this.loop.stop();
  }

  /** Ends the machine; `ended` resolves with the reason 'stopped' unless it had ended before. */
  async stop(): Promise<Ending> {
    this.resetAsked = false;
    this.begin();
    this.loop.stop();
    return this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop().catch(() => {});
  }

  /** Instructions retired since the start, over all restarts. */
  get instructions(): number {
    return this.earlierInstructions + ((this.machine as Machine | undefined)?.retired ?? 0);
  }

  get memoryMegabytes(): number {
    return this.ramBytes / MEGABYTE;
  }

  /** The board the guest runs on. */
  get board(): BoardName {
    return this.machine.board;
  }

  /** The kernel's release, once it is known. */
  get release(): string | undefined {
    return this.machine.release;
  }

  /** What LGUEST_INIT has shown of the guest; undefined before, and on the pc board. */
  get guest(): DetectedGeneration | undefined {
    return this.machine.guest;
  }

  get lastHypercall(): LastHypercall | undefined {
    return this.machine.lastHypercall;
  }

  /** Where the processor is: the address of its next instruction. */
  get eip(): number {
    return this.machine.cpu.state.eip;
  }

  /** What was loaded where, one line each. */
  get loadReport(): readonly string[] {
    return this.machine.loadReport;
  }

  /** Whether the trace that was asked for is being written. */
  get tracing(): boolean {
    return this.watcher.tracing;
  }
  set tracing(on: boolean) {
    this.watcher.tracing = on;
  }

  /** The nearest symbol at or below an address of the guest's kernel, as `name+0x12`, if any is known. */
  symbolAt(address: number): string | undefined {
    return this.symbolTable?.nearest(address);
  }

  private get symbolTable(): SymbolTable | null {
    this.symbols ??= (this.symbolFile && readSymbols(this.symbolFile)) ?? null;
    this.symbolFile = undefined;
    return this.symbols;
  }

  /** Where the guest's time went so far, the longest first; empty without `VirtualMachineOptions.profile`. */
  profile(): ProfileRow[] {
    return this.samples?.rows() ?? [];
  }

  /** What has happened so far. */
  stats(): Statistics {
    const seconds = (ns: number): number => ns / 1e9;
    const cpuNs = this.platform.cpuTimeNs();
    const { instructions, guest } = this;
    const runSeconds = seconds(this.loop.runNs);
    return {
      version: 1,
      board: this.machine.board,
      generation: guest?.generation.tag,
      instruction: guest?.instruction,
      pae: guest?.pae,
      release: this.machine.release,
      memoryMegabytes: this.memoryMegabytes,
      restarts: this.restarts,
      instructions,
      ...addStatistics(this.earlierCounts, this.machine.statistics),
      wallSeconds: seconds(this.platform.monotonicNs() - this.startNs),
      runSeconds,
      cpuSeconds: cpuNs === undefined || this.startCpuNs === undefined ? undefined : seconds(cpuNs - this.startCpuNs),
      instructionsPerSecond: runSeconds > 0 ? instructions / runSeconds : 0,
      tierSeconds: this.sampler.tierSeconds,
      translation: this.machine.translation?.statistics,
      ending: this.ending,
    };
  }

  /** The whole machine as a value. Between turns only: not from inside a listener of a guest event. */
  save(): Snapshot {
    return {
      version: 1,
      board: this.machine.board,
      machine: this.machine.save(),
      clock: this.clock.save(),
      input: this.input.save(),
      stdin: this.stdin.save(),
      earlierInstructions: this.earlierInstructions,
      random: this.random?.save(),
    };
  }

  /** Goes on from `snapshot`, which must come from a machine with the same memory and devices. */
  load(snapshot: Snapshot): void {
    if (snapshot.board !== this.machine.board)
      throw new LaunchError(`the snapshot is of a machine with the ${snapshot.board} board, this one has another.`);
    this.earlierInstructions = snapshot.earlierInstructions;
    this.machine.load(snapshot.machine, () => this.clock.load(snapshot.clock));
    this.input.load(snapshot.input);
    this.stdin.load(snapshot.stdin);
    if (snapshot.random !== undefined) this.random?.load(snapshot.random);
    this.loop.wake();
  }

  private build(): Machine {
    const { options } = this;
    const files = this.files!;
    const kernelFile = files.prepared.unpacked ?? files.kernel.bytes;
    if (options.symbols === undefined && mayHaveSymbols(kernelFile)) this.symbolFile = kernelFile;
    if (!options.torture?.saveEvery) this.files = undefined;
    const { append = [], generation = 'auto', pae = 'auto' } = options;
    this.console = this.createConsole();
    const common = {
      ramBytes: this.ramBytes,
      initrd: files.initrd,
      kernelArguments: typeof append === 'string' ? [append] : append,
      time: this.clock,
      observer: this.watcher,
      torture: options.torture ?? {},
      translation:
        options.jit !== false
          ? {
              memoryMegabytes: options.jitMemory,
              asynchronous: this.clock.kind === 'real',
              background: this.background,
              monotonicNs: () => this.platform.monotonicNs(),
              ...(this.watcher.watchesTranslator ? { observer: this.watcher } : {}),
            }
          : undefined,
      console: this.console,
      output: (bytes: Uint8Array) => this.takeOutput(bytes),
      warn: (text: string) => this.events.emit('warning', text),
    };
    const randomBytes = this.randomBytes();
    if (files.prepared.board === 'pc') {
      return new PcMachine({
        ...common,
        randomBytes,
        rng: options.rng === true,
        realTime: this.clock.kind === 'real',
        kernel: files.prepared.image,
        unpacked: files.prepared.unpacked,
        debugExitPort: options.debugExitPort,
        serialInput: options.task === undefined,
        inputWanted: () => this.input.drain(),
      });
    }
    return new LguestMachine({
      ...common,
      randomBytes: options.rng === true ? randomBytes : undefined,
      kernel: files.kernel,
      override: { tag: generation === 'auto' ? undefined : generation, pae: pae === 'auto' ? undefined : pae },
    });
  }

  /** The computer's own, unless every run is to be the same. */
  private randomBytes(): (length: number) => Uint8Array {
    const { seed, clock } = this.options;
    if (seed === undefined && clock !== 'virtual') return (length) => this.platform.randomBytes(length);
    const random = (this.random ??= new SeededRandom(seed ?? 0));
    return (length) => random.bytes(length);
  }

  private takeOutput(bytes: Uint8Array): void {
    this.options.output?.write(bytes);
    this.events.emit('output', bytes);
  }

  private createConsole(): MachineConsole {
    const { task } = this.options;
    const output = (bytes: Uint8Array): void => this.takeOutput(bytes);
    const inputWanted = (): void => this.input.drain();
    if (task === undefined) return plainConsole({ output, inputWanted });
    return guestConsole({
      task,
      size: this.terminalSize,
      output,
      inputWanted,
      stdout: (bytes) => task.stdout?.write(bytes),
      stderr: (bytes) => task.stderr?.write(bytes),
      stdinWanted: () => this.stdin.drain(),
      ready: () => this.events.emit('ready'),
      exited: (status) => {
        this.exitStatus = status;
      },
    });
  }

  /** From the first instruction to the end, over all restarts. */
  private async live(): Promise<Ending> {
    const runnable = {
      run: (maxInstructions: number) => this.runTurn(maxInstructions),
      wakeAtNs: () => this.machine.wakeAtNs(),
      retired: () => this.instructions,
    };
    this.background?.start();
    try {
      for (;;) {
        const result = await this.loop.run(runnable);
        const stopped = this.machine.stopped;
        if (this.resetAsked || (result === 'stopped' && stopped?.kind === 'restart')) {
          await this.restart();
          continue;
        }
        if (result !== 'stopped') return this.end(ENDINGS[result]);
        const reason = stopped?.kind === 'power-off' ? 'power-off' : 'killed';
        const exitStatus = this.exitStatus ?? stopped?.status;
        return this.end({ reason, text: stopped?.text ?? '', ...(exitStatus === undefined ? {} : { exitStatus }) });
      }
    } finally {
      this.background?.end();
      this.watcher.flush();
    }
  }

  private runTurn(maxInstructions: number): TurnResult {
    const { saveEvery } = this.options.torture ?? {};
    const run = (most: number): TurnResult => this.watcher.run(this.machine, most);
    if (saveEvery === undefined) return this.sampler.run(this.machine, maxInstructions, run);
    const result = this.sampler.run(this.machine, Math.min(maxInstructions, saveEvery), run);
    if (result !== 'stopped' && this.instructions - this.savedAt >= saveEvery) this.moveToNewMachine();
    return result;
  }

  /** Saves the machine, builds another one and goes on in that: what a snapshot forgets cannot stay unnoticed. */
  private moveToNewMachine(): void {
    const snapshot = this.save();
    this.earlierCounts = addStatistics(this.earlierCounts, this.machine.statistics);
    this.machine = this.build();
    this.load(snapshot);
    this.savedAt = this.instructions;
  }

  private end(ending: Ending): Ending {
    this.ending = ending;
    this.events.emit('ended', ending);
    return this.ending;
  }

  /** A new life: everything but console, clock and counts begins anew. A file that has gone ends the machine. */
  private async restart(): Promise<void> {
    if (this.resetAsked) this.loop.takeBackStop();
    this.resetAsked = false;
    // A guest that does nothing but restart must not keep signals and keys out.
    await this.platform.yieldToEventLoop();
    this.files = await loadFiles(this.platform, this.options);
    if (this.options.symbols === undefined) this.symbols = undefined;
    const { retired } = this.machine;
    this.earlierCounts = addStatistics(this.earlierCounts, this.machine.statistics);
    this.machine = this.build();
    this.earlierInstructions += retired;
    this.restarts++;
    this.exitStatus = undefined;
    this.events.emit('restart');
    this.input.drain();
    this.stdin.drain();
  }
}

async function loadFiles(platform: Platform, options: VirtualMachineOptions): Promise<Files> {
  const { kernel: file, initrd: initrdFile, board = 'auto' } = options;
  // It is read while the kernel is looked at. What is wrong with the kernel comes first.
  const reading = initrdFile === undefined ? undefined : loadFile(platform, initrdFile, 'the initrd');
  reading?.catch(() => {});
  const kernel = await loadFile(platform, file, 'the kernel');
  const prepared = await prepareKernel(kernel, board);
  return { kernel, initrd: await reading, prepared };
}
