/*L:140
 * From the command line to a running guest
 *
 * Build the machine, connect its console to our standard input and output, let it run, and leave everything as we
 * found it: the terminal usable, every byte the guest has printed delivered, the right exit status returned.
 */
import { readFileSync } from 'node:fs';
import { collectWhenGrown, limitHeap } from '../platform/node-memory.js';
import { type ByteSink, type ByteSource, openByteSink, openByteSource } from '../platform/node-streams.js';
import { makeTerminalRaw, watchEndingSignals, watchResizes } from '../platform/node-terminal.js';
import { createNodePlatform } from '../platform/node.js';
import { type Ending, type GuestTask, VirtualMachine, type VirtualMachineOptions } from '../vm/index.js';
import { KeyFilter, MENU_TEXT, type MenuCommand } from './console.js';
import {
  describeEnding,
  describeGuest,
  describePcGuest,
  describeReady,
  EXIT_STATUS,
  type Messages,
  statusOf,
} from './messages.js';
import type { Settings } from './options.js';
import { openOutputFile, type OutputFile } from './output-files.js';
import { profileAsJson, renderProfile } from './profile.js';
import { renderStatistics, statisticsAsJson } from './stats.js';
import { Tail } from './tail.js';

const MEGABYTE = 0x10_0000;

/** For objects that are short-lived, megabytes. */
const YOUNG_MEGABYTES = 4;

/** What is to be launched: a file, or an image that we made ourselves. */
export interface Guest {
  kernel: string | Uint8Array;
  kernelArguments: readonly string[];
  /** As the options of the same names, which come first. */
  initrd?: string;
  memoryMegabytes?: number;
  /** For our own init: a shell, or the command of `lguest run`. */
  task?: GuestTask;
  /** Of its kernel, for the line before the console begins. */
  release?: string;
}

/** Unwritten output beyond which the guest has to wait for whoever reads it, bytes. */
const MOST_PENDING_BYTES = 0x10_0000;

/** As much as a panic prints. */
const CONSOLE_TAIL_BYTES = 0x4000;

/** How long a reader gets to take the last output when we were told to end by a signal, milliseconds. */
const LAST_FLUSH_MS = 500;

/** Launches `guest` and returns the exit status. Rejects only with what `Messages.failure` can explain. */
export async function launch(guest: Guest, settings: Settings, messages: Messages, stderr: ByteSink): Promise<number> {
  const session = new Session(settings, messages, stderr);
  try {
    return await session.run(guest);
  } finally {
    session.close();
  }
}

/** One run of the command: the machine and everything that has to be put back in order behind it. */
class Session {
  private readonly settings: Settings;
  private readonly messages: Messages;
  private readonly stdin: ByteSource;
  private readonly stdout: ByteSink;
  private readonly stderr: ByteSink;
  /** The console of a guest that runs one command: nobody looks at it unless something goes wrong. */
  private readonly consoleTail = new Tail(CONSOLE_TAIL_BYTES);
  private vm: VirtualMachine | undefined;
  private traceFile: OutputFile | undefined;
  private statsFile: OutputFile | undefined;
  private profileFile: OutputFile | undefined;
  /** The exit status, if it was not the guest that decided to end. */
  private status: number | undefined;
  private restoreTerminal: () => void = () => {};
  private forgetSignals: () => void = () => {};
  private forgetResizes: () => void = () => {};

  constructor(settings: Settings, messages: Messages, stderr: ByteSink) {
    this.settings = settings;
    this.messages = messages;
    this.stderr = stderr;
    this.stdin = openByteSource(() => process.stdin);
    this.stdout = openByteSink(process.stdout, () => this.end(EXIT_STATUS.outputClosed));
  }

  async run(guest: Guest): Promise<number> {
    const { settings, messages } = this;
    limitHeap(YOUNG_MEGABYTES);
    collectWhenGrown();
    const vm = await VirtualMachine.create(this.machineOptions(guest));
    this.vm = vm;
    if (settings.traceFile !== undefined) this.traceFile = openOutputFile(settings.traceFile, 'trace-file');
    if (typeof settings.stats === 'string') this.statsFile = openOutputFile(settings.stats, 'stats');
    if (typeof settings.profile === 'string') this.profileFile = openOutputFile(settings.profile, 'profile');
    for (const line of vm.loadReport) messages.detail(line);
    if (vm.board === 'pc' && guest.task === undefined) messages.status(describePcGuest(vm));
    vm.on('initialised', (found) => messages.status(describeGuest(found, vm.memoryMegabytes)));
    let startMs = performance.now();
    let ready = false;
    vm.on('restart', () => {
      startMs = performance.now();
      if (guest.task !== undefined && (isCommand(guest) || !ready)) this.endRestarted(ready);
      else messages.status('the guest restarts');
      ready = false;
    });
    vm.on('ready', () => {
      ready = true;
      if (!isCommand(guest)) messages.status(describeReady(vm, guest.release, (performance.now() - startMs) / 1000));
    });
    vm.on('warning', (text) => messages.say(text));

    if (isCommand(guest)) this.connectStandardInput(vm);
    else this.connectInput(vm);
    if (guest.task !== undefined) this.forgetResizes = watchResizes(this.stdout, (size) => vm.resize(size));
    this.forgetSignals = watchEndingSignals((status) => this.end(status));
    // Whoever reads our output may have gone while we were still reading files.
    if (this.status !== undefined) void vm.stop();
    vm.run();
    const ending = await vm.ended;
    if (isCommand(guest) && (ending.reason === 'killed' || settings.verbose))
      this.stderr.write(this.consoleTail.take());
    await this.finish(vm, ending);
    return this.status ?? statusOf(ending);
  }

  /** Whatever happens, the terminal and the process' streams are free again. */
  close(): void {
    this.restoreTerminal();
    this.forgetSignals();
    this.forgetResizes();
    this.stdin.stop();
    this.traceFile?.close();
    this.statsFile?.close();
    this.profileFile?.close();
  }

  private machineOptions(guest: Guest): VirtualMachineOptions {
    const { settings, stdin } = this;
    const { append, symbols, trace, initrd = guest.initrd } = settings;
    const memory = settings.memory ?? (guest.memoryMegabytes ?? 0) * MEGABYTE;
    const options: VirtualMachineOptions = {
      kernel: guest.kernel,
      append: append === undefined ? guest.kernelArguments : [append, ...guest.kernelArguments],
      board: settings.board,
      generation: settings.generation,
      pae: settings.pae,
      clock: settings.clock,
      torture: settings.torture,
      platform: createNodePlatform(),
      output: {
        write: (bytes) => {
          if (isCommand(guest)) this.consoleTail.add(bytes);
          else this.writeConsole(bytes);
        },
        ready: () => this.waitForReaders(),
      },
    };
    if (memory > 0) options.memory = memory / MEGABYTE;
    if (guest.task !== undefined) {
      options.task = {
        ...guest.task,
        stdout: { write: (bytes) => this.stdout.write(bytes) },
        stderr: { write: (bytes) => this.stderr.write(bytes) },
      };
      const size = this.stdout.size();
      if (size !== undefined) options.terminalSize = size;
    }
    if (settings.jit !== undefined) options.jit = settings.jit;
    if (settings.jitThread !== undefined) options.jitThread = settings.jitThread;
    if (settings.jitMemory !== undefined) options.jitMemory = settings.jitMemory;
    if (initrd !== undefined) options.initrd = initrd;
    if (symbols !== undefined) options.symbols = symbols;
    if (settings.maxInstructions !== undefined) options.maxInstructions = settings.maxInstructions;
    if (settings.maxSeconds !== undefined) options.maxSeconds = settings.maxSeconds;
    if (settings.profile !== undefined) options.profile = true;
    if (settings.rng) options.rng = true;
    if (settings.debugExitPort !== undefined) options.debugExitPort = settings.debugExitPort;
    if (settings.seed !== undefined) options.seed = settings.seed;
    // Without --trace the menu can still switch one on.
    options.trace = {
      topics: trace.length > 0 ? trace : ['hypercalls'],
      enabled: trace.length > 0,
      write: (text) => (this.traceFile ?? this.stderr).write(text),
    };
    // With the virtual clock even the moment at which input arrives has to be the same in every run.
    if (settings.clock === 'virtual' && stdin.isFile) options.input = readWholeInput();
    return options;
  }

  private writeConsole(bytes: Uint8Array): void {
    this.messages.midLine = bytes[bytes.length - 1] !== 0x0a;
    this.stdout.write(bytes);
  }

  /** Undefined, or a promise until the readers of our output have caught up. */
  private waitForReaders(): Promise<void> | undefined {
    if (this.stdout.pendingBytes > MOST_PENDING_BYTES) return this.stdout.flush();
    if (this.stderr.pendingBytes > MOST_PENDING_BYTES) return this.stderr.flush();
    return undefined;
  }

  /*L:310
   * Standard input may be a terminal, a pipe or a file. Only a terminal is put into raw mode, in which no key has a
   * meaning to this computer any more. When a pipe or file ends, the guest simply hears nothing more: it is not ours
   * to end it for that. A sender that is faster than the guest is made to wait.
   */
  private connectInput(vm: VirtualMachine): void {
    const { settings, stdin } = this;
    if (settings.clock === 'virtual' && stdin.isFile) return;
    const kind = stdin.isTerminal ? 'terminal' : stdin.isFile ? 'file' : 'pipe';
    const filter = new KeyFilter(
      kind,
      {
        send: (bytes) => {
          if (!vm.write(bytes)) stdin.pause();
        },
        interrupt: () => this.endByHand('three Ctrl-C'),
        openMenu: () => this.messages.write(MENU_TEXT),
        choose: (command) => this.choose(vm, command),
      },
      () => performance.now() * 1e6,
    );
    vm.on('drain', () => stdin.resume());
    if (stdin.isTerminal) this.restoreTerminal = makeTerminalRaw(process.stdin);
    stdin.start(
      (bytes) => filter.take(bytes),
      () => vm.endInput(),
    );
  }
  /*:*/

  /** The command of `lguest run` gets our standard input as it is, with its end. */
  private connectStandardInput(vm: VirtualMachine): void {
    vm.endInput();
    vm.stdin.onDrain(() => this.stdin.resume());
    this.stdin.start(
      (bytes) => {
        if (!vm.stdin.write(bytes)) this.stdin.pause();
      },
      () => vm.stdin.end(),
    );
  }

  private choose(vm: VirtualMachine, command: MenuCommand): void {
    const { messages } = this;
    if (command === 'end') this.endByHand('Ctrl-] e');
    else if (command === 'reset') vm.reset();
    else if (command === 'stats') messages.write(renderStatistics(vm.stats()));
    else if (command === 'trace') this.toggleTrace(vm);
  }

  private toggleTrace(vm: VirtualMachine): void {
    vm.tracing = !vm.tracing;
    this.messages.say(`trace ${vm.tracing ? 'on' : 'off'}`);
  }

  /** A command that restarts its machine, or a boot that ends in a panic, would do it again and again. */
  private endRestarted(ready: boolean): void {
    this.stderr.write(this.consoleTail.take());
    this.messages.say(`the guest restarted ${ready ? 'before its command had ended' : 'before it was up'}.`);
    this.end(EXIT_STATUS.failure);
  }

  private endByHand(how: string): void {
    this.messages.status(`ended by ${how}`);
    this.end(EXIT_STATUS.interrupted);
  }

  /** Ends the guest from outside; the first reason counts, and a second one does not wait for anything any more. */
  private end(status: number): void {
    if (this.status !== undefined && this.status !== EXIT_STATUS.outputClosed) process.exit(this.status);
    this.status ??= status;
    void this.vm?.stop();
  }

  /** The guest is gone: delivers what it said, then says what there is to say about it. */
  private async finish(vm: VirtualMachine, ending: Ending): Promise<void> {
    this.restoreTerminal();
    await this.flush(this.stdout);
    for (const line of describeEnding(ending, vm)) this.messages.write(`${line}\n`);
    if (this.settings.stats === true) this.messages.write(renderStatistics(vm.stats()));
    this.statsFile?.write(statisticsAsJson(vm.stats()));
    if (this.settings.profile === true) this.messages.write(renderProfile(vm.profile()));
    this.profileFile?.write(profileAsJson(vm.profile()));
    await this.flush(this.stderr);
  }

  /** Waits until all of it is written; not for long if somebody wants us gone. */
  private async flush(sink: ByteSink): Promise<void> {
    if (this.status === undefined) {
      await sink.flush();
      return;
    }
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LAST_FLUSH_MS);
    });
    await Promise.race([sink.flush(), patience]);
    clearTimeout(timer);
  }
}

/** Whether the guest runs one command, whose streams are ours; otherwise its console is. */
function isCommand({ task }: Guest): boolean {
  return (task?.command?.length ?? 0) > 0;
}

/** All of standard input, which is a file. */
function readWholeInput(): Uint8Array {
  try {
    return readFileSync(0);
  } catch {
    // A closed standard input is an empty one.
    return new Uint8Array(0);
  }
}
