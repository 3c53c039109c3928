/*L:320
 * What we say
 *
 * Two kinds of lines, both on standard error because standard output is the guest's. `lguest: …` tells that something
 * went wrong, or how the guest died, in the words of the original. `lguest  …` is company for people and appears on
 * terminals only. Never a stack trace, unless somebody asked for it with `--verbose`.
 */
import type { ByteSink } from '../platform/node-streams.js';
import { BootError, type Ending, type GuestDescription, LaunchError, type VirtualMachine } from '../vm/index.js';

/** Exit statuses (docs/options.md). */
export const EXIT_STATUS = { success: 0, failure: 1, limit: 124, interrupted: 130, outputClosed: 141 } as const;

/** What the guest's task ended with; 1 for a guest that was killed, as the original; 0 for a clean power-off; 124, as `timeout`, for a limit. */
export function statusOf(ending: Ending): number {
  switch (ending.reason) {
    case 'power-off':
      return ending.exitStatus ?? EXIT_STATUS.success;
    case 'stopped':
      return EXIT_STATUS.success;
    case 'killed':
      return EXIT_STATUS.failure;
    default:
      return EXIT_STATUS.limit;
  }
}

export class Messages {
  private readonly sink: ByteSink;
  /** `--verbose`. */
  verbose = false;
  /** The guest's output has left the terminal's cursor in the middle of a line. */
  midLine = false;

  constructor(sink: ByteSink) {
    this.sink = sink;
  }

  /** `lguest: TEXT`. */
  say(text: string): void {
    this.write(`lguest: ${text}\n`);
  }

  /** `lguest  TEXT`, on a terminal. */
  status(text: string): void {
    if (this.sink.isTerminal) this.write(`lguest  ${text}\n`);
  }

  /** `lguest  TEXT`, for those who asked for more. */
  detail(text: string): void {
    if (this.verbose) this.write(`lguest  ${text}\n`);
  }

  /** Text that is complete as it is. */
  write(text: string): void {
    const fresh = this.midLine && this.sink.isTerminal ? '\n' : '';
    this.midLine = false;
    this.sink.write(fresh + text);
  }

  /** Why it did not work: one sentence, and where in lguest it happened if `--verbose` was given. */
  failure(error: unknown): void {
    if (error instanceof LaunchError || error instanceof BootError) {
      this.say(error.message);
      return;
    }
    const { message = String(error), stack = '' } = error instanceof Error ? error : {};
    if (this.verbose) this.say(`internal error: ${stack || message}`);
    else this.say(`internal error: ${message}. This is a bug in lguest; with --verbose it says where.`);
  }
}

/** What is printed when the guest has come to its end, apart from an orderly one. */
export function describeEnding(ending: Ending, vm: VirtualMachine): string[] {
  switch (ending.reason) {
    case 'power-off':
    case 'stopped':
      return [];
    case 'killed':
      return [`lguest: ${ending.text}`, describePlace(vm)];
    case 'instruction-limit':
      return [`lguest: ${ending.text} (--max-instructions): ${vm.instructions} were run.`];
    case 'time-limit':
      return [`lguest: ${ending.text} (--max-seconds).`];
    case 'asleep':
      return [`lguest: ${ending.text}.`];
  }
}

/** The line that helps: where the guest was, by name if one is known, and what it asked for last. */
function describePlace(vm: VirtualMachine): string {
  const named = (address: number): string => {
    const symbol = vm.symbolAt(address);
    return `0x${address.toString(16)}${symbol === undefined ? '' : ` (${symbol})`}`;
  };
  const { lastHypercall: last } = vm;
  if (vm.board === 'pc') return `        at ${named(vm.eip)}`;
  if (last === undefined) return `        at ${named(vm.eip)}, before the first hypercall`;
  const how = last.viaRing ? 'left in the ring before' : 'made right before';
  return `        at ${named(vm.eip)}; the last hypercall was ${last.name}, ${how} ${named(last.eip)}`;
}

/** The line before the guest's console begins: `lguest board (generation C2, vmcall), 64 MB, Linux 2.6.32`. */
export function describeGuest(guest: GuestDescription, memoryMegabytes: number): string {
  const { generation, instruction, pae, release } = guest;
  const parts = [`lguest board (generation ${generation.tag}${pae === true ? ' with PAE' : ''}, ${instruction})`];
  parts.push(`${memoryMegabytes} MB`);
  if (release !== undefined) parts.push(`Linux ${release}`);
  return parts.join(', ');
}

/** The line before a shell of the default guest: `pc board, 128 MB, Linux 6.1.0-50-686, ready in 1.4 s`. */
export function describeReady(vm: VirtualMachine, release: string | undefined, seconds: number): string {
  const parts = [`${vm.stats().board} board`, `${vm.memoryMegabytes} MB`];
  if (release !== undefined) parts.push(`Linux ${release}`);
  return `${parts.join(', ')}, ready in ${seconds.toFixed(1)} s`;
}

/** The same for the pc board, where the kernel file has told the release: `pc board, 128 MB, Linux 6.1.0-50-686`. */
export function describePcGuest(vm: VirtualMachine): string {
  return `pc board, ${vm.memoryMegabytes} MB${vm.release === undefined ? '' : `, Linux ${vm.release}`}`;
}
