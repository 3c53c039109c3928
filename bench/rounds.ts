/** One contestant at a time, the others stopped. */
import { bootOnce } from './boot.js';
import { Contestant, type ContestantCommand, ContestantError } from './contestant.js';
import type { ProgramRuns, Run } from './measurements.js';
import type { Bench } from './prepare.js';
import { type BenchProgram, BOOT, DATA, type DataName } from './suite.js';

export interface Outcome {
  programs: ProgramRuns[];
  /** Most resident memory of each guest after all rounds, megabytes. */
  peaks: Map<string, number>;
}

/** Rounds in which every contestant runs every program. Aborting `signal` ends them, and all contestants. */
export class Rounds {
  private readonly rounds: number;
  private readonly say: (text: string) => void;
  private readonly signal: AbortSignal;

  constructor(rounds: number, say: (text: string) => void, signal: AbortSignal) {
    this.rounds = rounds;
    this.say = say;
    this.signal = signal;
  }

  /** Boots; the guests of the other rounds do not run yet. */
  async boot(boots: readonly ContestantCommand[]): Promise<ProgramRuns> {
    const runs = new Map(boots.map(({ name }): [string, Run[]] => [name, []]));
    for (let round = 0; round < this.rounds; round++) {
      const line = [`${round + 1}/${this.rounds} ${BOOT.padEnd(26)}`];
      for (const command of rotate(boots, round)) {
        const run = await this.orFailure(() => bootOnce(command, this.signal));
        runs.get(command.name)!.push(run);
        line.push(describe(command.name, run));
      }
      this.say(line.join('  '));
    }
    return { group: BOOT, name: 'to the prompt', runs };
  }

  /** Rejects with `ContestantError` when one cannot be started. */
  async run({ contestants, programs }: Pick<Bench, 'contestants' | 'programs'>): Promise<Outcome> {
    const results = programs.map(({ group, name }) => {
      return { group, name, runs: new Map(contestants.map((command): [string, Run[]] => [command.name, []])) };
    });
    const running = new Map<string, Contestant>();
    try {
      for (const command of contestants) running.set(command.name, await this.start(command, programs));
      for (let round = 0; round < this.rounds; round++) {
        for (const [index, program] of programs.entries()) {
          const line = [`${round + 1}/${this.rounds} ${`${program.group}/${program.name}`.padEnd(26)}`];
          for (const command of rotate(contestants, round + index)) {
            const { name } = command;
            const run = await this.orFailure(() => takeTurn(running.get(name)!, program));
            results[index]!.runs.get(name)!.push(run);
            line.push(describe(name, run));
            if (run.status !== NO_ANSWER) continue;
            await running.get(name)!.stop();
            running.set(name, await this.start(command, programs));
          }
          this.say(line.join('  '));
        }
      }
      const guests = contestants.filter(({ isNative }) => !isNative);
      return {
        programs: results,
        peaks: new Map(guests.map(({ name }) => [name, running.get(name)!.peakMegabytes()])),
      };
    } finally {
      for (const contestant of running.values()) await contestant.stop();
    }
  }

  /** Starts one and lets it make its data; it comes back stopped. */
  private async start(command: ContestantCommand, programs: readonly BenchProgram[]): Promise<Contestant> {
    const contestant = new Contestant(command, this.signal);
    const began = performance.now();
    try {
      await contestant.ready();
      const wanted = new Set<DataName>(programs.flatMap(({ data }) => data));
      for (const name of wanted) {
        const { status, output } = await contestant.run(['/bin/data', ...DATA[name]]);
        if (status !== 0) throw new ContestantError(`${command.name} cannot make its data: ${output.trim()}`);
      }
    } catch (error) {
      await contestant.stop();
      throw error;
    }
    contestant.pause();
    this.say(`${command.name} is up after ${((performance.now() - began) / 1000).toFixed(1)} s`);
    return contestant;
  }

  private async orFailure(action: () => Promise<Run>): Promise<Run> {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof ContestantError) || this.signal.aborted) throw error;
      this.say(error.message);
      return { wallMs: Number.NaN, processorMs: Number.NaN, status: NO_ANSWER, output: error.message };
    }
  }
}

/** The status of a run whose contestant has died or hangs. */
const NO_ANSWER = -1;

async function takeTurn(contestant: Contestant, { words }: BenchProgram): Promise<Run> {
  await contestant.resume();
  try {
    return await contestant.run(words);
  } finally {
    contestant.pause();
  }
}

function describe(name: string, { wallMs, processorMs, status }: Run): string {
  return status === 0 ? `${name} ${wallMs.toFixed(0)} (${processorMs.toFixed(0)})` : `${name} failed`;
}

/** So that nobody is always the first. */
function rotate<Item>(items: readonly Item[], by: number): Item[] {
  return items.map((_, index) => items[(index + by) % items.length]!);
}
