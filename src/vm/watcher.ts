/*L:330
 * Looking in
 *
 * The Host tells an observer about everything the guest asks for and everything that happens to it, just before it
 * takes effect. From that come the traces (`--trace`), and whoever uses the machine from a program can listen too.
 * Tracing every instruction needs no help from the Host: the guest then simply runs in turns of one.
 */
import { InstructionReader } from '../debug/trace-instruction.js';
import { Tracer, type TraceView } from '../debug/trace.js';
import type { DetectedGeneration, HostObserver } from '../host/host.js';
import type { FlushReason, ModuleFacts, RegionEnd, RegionFacts, TranslatorObserver } from '../jit/index.js';
import type { Events } from './events.js';
import type { Machine } from './machine.js';
import type { TraceOptions } from './options.js';
import type { TurnResult } from './run-loop.js';
import type { MachineEvents } from './virtual-machine.js';

/** Most single steps in a turn of an instruction trace, so that keys still have an effect. */
const STEPS_PER_TURN = 10_000;

interface Step {
  machine: Machine;
  eip: number;
  /** The instruction in words. */
  text: string;
}

/** Hears what the Host tells, over all lives of the machine, and passes it on to trace and listeners. */
export class Watcher implements HostObserver, TranslatorObserver {
  private readonly events: Events<MachineEvents>;
  private readonly tracer: Tracer | undefined;
  private readonly topics: ReadonlySet<string>;
  /** Instruction trace: the instruction that is about to run, not yet written down, and what it runs on. */
  private step: Step | undefined;
  private reader: InstructionReader | undefined;

  constructor(events: Events<MachineEvents>, trace: TraceOptions | undefined, view: TraceView) {
    this.events = events;
    this.tracer = trace === undefined ? undefined : new Tracer(trace.topics, view, trace.write);
    this.tracing = trace?.enabled ?? true;
    this.topics = this.tracer?.topics ?? new Set();
  }

  get tracing(): boolean {
    return this.tracer?.enabled ?? false;
  }
  set tracing(on: boolean) {
    if (this.tracer !== undefined) this.tracer.enabled = on;
  }

  /** Whether the trace is on and about this. */
  private traces(topic: string): boolean {
    return this.tracing && this.topics.has(topic);
  }

  flush(): void {
    this.tracer?.flush();
  }

  hypercall(call: number, args: readonly number[], viaRing: boolean): void {
    this.writeStep();
    if (this.topics.has('hypercalls')) this.tracer?.hypercall(call, args, viaRing);
    this.events.emit('hypercall', call, args, viaRing);
  }

  get watchesTraps(): boolean {
    return this.traces('traps') || this.traces('instructions') || this.events.has('trap');
  }

  get watchesHypercalls(): boolean {
    return this.traces('hypercalls') || this.traces('instructions') || this.events.has('hypercall');
  }

  trap(vector: number, errorCode: number, eip: number, cpl: number, address: number, reflected: boolean): void {
    this.writeStep();
    if (this.topics.has('traps')) this.tracer?.trap(vector, errorCode, eip, cpl, address, reflected);
    this.events.emit('trap', vector, errorCode, eip, cpl, address, reflected);
  }

  interrupt(irq: number, eip: number): void {
    if (this.topics.has('interrupts')) this.tracer?.interrupt(irq, eip);
    // What runs next is not what we thought, but the handler's first instruction.
    const handler = this.step?.machine.interruptHandler(irq);
    if (this.step !== undefined && handler !== undefined) this.step = this.lookAt(this.step.machine, handler);
    this.events.emit('interrupt', irq, eip);
  }

  initialised(guest: DetectedGeneration): void {
    this.events.emit('initialised', guest);
  }

  /** Whether somebody wants to hear of the translator. */
  get watchesTranslator(): boolean {
    return this.topics.has('translation');
  }

  regionMade(region: RegionFacts): void {
    this.tracer?.translation({ kind: 'made', region });
  }
  regionEnded(region: RegionFacts, why: RegionEnd): void {
    this.tracer?.translation({ kind: 'ended', region, why });
  }
  regionRefused(entry: number, user: boolean): void {
    this.tracer?.translation({ kind: 'refused', entry, user });
  }
  moduleCompiled(module: ModuleFacts): void {
    this.tracer?.translation({ kind: 'module', ...module });
  }
  flushed(regions: number, bytes: number, why: FlushReason): void {
    this.tracer?.translation({ kind: 'flushed', regions, bytes, why });
  }

  /** A turn of the guest. With an instruction trace it is made of single steps. */
  run(machine: Machine, maxInstructions: number): TurnResult {
    if (!this.tracing || !this.topics.has('instructions')) return machine.run(maxInstructions);
    const { state } = machine.cpu;
    for (let left = Math.min(maxInstructions, STEPS_PER_TURN); left > 0; left--) {
      const before = state.retired;
      this.step = this.lookAt(machine, state.eip);
      const result = machine.run(1);
      if (state.retired !== before || result === 'stopped') this.writeStep();
      this.step = undefined;
      if (result !== 'running') return result;
    }
    return 'running';
  }

  private lookAt(machine: Machine, eip: number): Step {
    this.reader ??= new InstructionReader();
    return { machine, eip, text: this.reader.describe(machine.cpu, eip) };
  }

  /** Writes the instruction under way down, once. */
  private writeStep(): void {
    if (this.step === undefined) return;
    const { eip, text } = this.step;
    this.step = undefined;
    this.tracer?.instruction(eip, text);
  }
}
