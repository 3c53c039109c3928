/** A process that runs programs for us: a virtual machine with bench/c/runner.c as its init, or the runner itself. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Run } from './measurements.js';
import { type Answer, findAnswer, READY, renderRequest } from './protocol.js';

/** How to start one; its standard input and output are the line to the runner. */
export interface ContestantCommand {
  name: string;
  command: string;
  words: readonly string[];
  /** Whether processor time is what the runner says, as it runs on this computer itself. */
  isNative: boolean;
}

export class ContestantError extends Error {}

/** Generous: the computer may have other work. */
const START_MS = 600_000;
const PROGRAM_MS = 900_000;
/** After a stop there are interrupts to catch up with; answered within this it has. */
const AWAKE_MS = 15;
const MOST_PINGS = 60;

export class Contestant {
  readonly name: string;
  private readonly isNative: boolean;
  private readonly child: ChildProcess;
  private received = '';
  private lastId = 0;
  private changed: () => void = () => {};
  private end: string | undefined;

  /** Starts it; `ready` tells when it can be asked. `signal` ends it, whatever it is doing. */
  constructor({ name, command, words, isNative }: ContestantCommand, signal?: AbortSignal) {
    this.name = name;
    this.isNative = isNative;
    this.child = spawn(command, words, { stdio: ['pipe', 'pipe', 'pipe'], signal, killSignal: 'SIGKILL' });
    const ended = (how: string): void => {
      this.end ??= how;
      this.changed();
    };
    this.child.on('error', (error) => ended(error.message));
    this.child.on('exit', (status, signal) => ended(`it ended with ${signal ?? `status ${status}`}`));
    this.child.stdin!.on('error', () => {});
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.on('data', (bytes: Buffer) => {
        this.received += bytes.toString('latin1');
        this.changed();
      });
    }
  }

  /** Resolves when it has printed `mark`: by default, when the runner listens. Rejects with `ContestantError`. */
  async ready(mark: string = READY): Promise<void> {
    await this.waitFor(START_MS, () => this.received.includes(mark) || undefined);
  }

  /** Runs a program and takes the time. Rejects with `ContestantError`. */
  async run(words: readonly string[]): Promise<Run> {
    const before = this.processorMs();
    const start = performance.now();
    const answer = await this.ask(words, PROGRAM_MS);
    const wallMs = performance.now() - start;
    const processorMs = this.isNative ? answer.processorMs : this.processorMs() - before;
    return { wallMs, processorMs, status: answer.status, output: answer.output };
  }

  /** Takes it off the processor, until `resume`. */
  pause(): void {
    this.child.kill('SIGSTOP');
  }

  /** Resolves when it has caught up with the time that passed. Rejects with `ContestantError`. */
  async resume(): Promise<void> {
    this.child.kill('SIGCONT');
    for (let pings = 0; pings < MOST_PINGS; pings++) {
      const start = performance.now();
      await this.ask([], START_MS);
      if (performance.now() - start < AWAKE_MS) return;
    }
  }

  /** Most resident memory it has had, in megabytes of 10^6 bytes; NaN where the system does not tell. */
  peakMegabytes(): number {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(this.proc('status'))?.[1] ?? Number.NaN) * (1024 / 1e6);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null || this.child.pid === undefined) return;
    const exited = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGKILL');
    await exited;
  }

  /** What it has printed last, for messages. */
  lastWords(): string {
    return this.received.slice(-2000);
  }

  private async ask(words: readonly string[], withinMs: number): Promise<Answer> {
    const id = ++this.lastId;
    this.received = '';
    this.child.stdin!.write(renderRequest(id, words));
    return this.waitFor(withinMs, () => findAnswer(this.received, id));
  }

  private waitFor<Result>(withinMs: number, look: () => Result | undefined): Promise<Result> {
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        this.changed = () => {};
        clearTimeout(timer);
        reject(new ContestantError(`${this.name}: ${why}; it printed last:\n${this.lastWords()}`));
      };
      const timer = setTimeout(() => fail(`no answer within ${withinMs / 1000} s`), withinMs);
      this.changed = () => {
        const result = look();
        if (result !== undefined) {
          this.changed = () => {};
          clearTimeout(timer);
          resolve(result);
        } else if (this.end !== undefined) fail(this.end);
      };
      this.changed();
    });
  }

  /** User and system time of all its threads so far, milliseconds; NaN where the system does not tell. */
  processorMs(): number {
    const fields = this.proc('stat').split(') ')[1]?.split(' ') ?? [];
    // utime and stime in hundredths of a second (proc(5); USER_HZ is 100 wherever Node runs).
    return (Number(fields[11] ?? Number.NaN) + Number(fields[12] ?? Number.NaN)) * 10;
  }

  private proc(name: string): string {
    try {
      return readFileSync(`/proc/${this.child.pid}/${name}`, 'latin1');
    } catch {
      return '';
    }
  }
}
