/** Rounds in which every contestant runs every program, one contestant at a time, the others stopped. */
import { Contestant, ContestantError, type ContestantCommand } from './contestant.js';
import type { ProgramRuns, Run } from './measurements.js';
import type { Bench } from './prepare.js';
import { type BenchProgram, DATA, type DataName } from './suite.js';

export interface Outcome {
  programs: ProgramRuns[];
  /** Most resident memory of each guest after all rounds, megabytes. */
  peaks: Map<string, number>;
}

/** Rejects with `ContestantError` when one cannot be started. */
export async function runRounds(bench: Bench, rounds: number, say: (text: string) => void): Promise<Outcome> {
  const programs = bench.programs.map(({ group, name }) => ({ group, name, runs: new Map<string, Run[]>() }));
  const running = new Map<string, Contestant>();
  const peaks = new Map<string, number>();
  const begin = async (command: ContestantCommand): Promise<void> => {
    running.set(command.name, await start(command, bench.programs, say));
  };
  try {
    for (const command of bench.contestants) await begin(command);
    for (let round = 0; round < rounds; round++) {
      for (const [index, program] of bench.programs.entries()) {
        const line = [`${round + 1}/${rounds} ${`${program.group}/${program.name}`.padEnd(26)}`];
        for (const command of rotate(bench.contestants, round + index)) {
          const { name } = command;
          const { runs } = programs[index]!;
          if (!runs.has(name)) runs.set(name, []);
          try {
            const run = await takeTurn(running.get(name)!, program);
            runs.get(name)!.push(run);
            line.push(`${name} ${run.wallMs.toFixed(0)} ms (${run.processorMs.toFixed(0)})`);
          } catch (error) {
            if (!(error instanceof ContestantError)) throw error;
            say(error.message);
            runs.get(name)!.push({ wallMs: Number.NaN, processorMs: Number.NaN, status: -1, output: error.message });
            await running.get(name)!.stop();
            await begin(command);
          }
        }
        say(line.join('  '));
      }
    }
    for (const { name, isNative } of bench.contestants)
      if (!isNative) peaks.set(name, running.get(name)!.peakMegabytes());
    return { programs, peaks };
  } finally {
    for (const contestant of running.values()) await contestant.stop();
  }
}

/** Starts one and lets it make its data; it comes back paused. */
async function start(
  command: ContestantCommand,
  programs: readonly BenchProgram[],
  say: (text: string) => void,
): Promise<Contestant> {
  const contestant = new Contestant(command);
  const began = performance.now();
  try {
    await contestant.ready();
    const wanted = new Set<DataName>(programs.flatMap(({ data }) => data));
    for (const name of wanted) await contestant.run(['/bin/data', ...DATA[name]]);
  } catch (error) {
    await contestant.stop();
    throw error;
  }
  contestant.pause();
  say(`${command.name} is up after ${((performance.now() - began) / 1000).toFixed(1)} s`);
  return contestant;
}

async function takeTurn(contestant: Contestant, { words }: BenchProgram): Promise<Run> {
  await contestant.resume();
  try {
    return await contestant.run(words);
  } finally {
    contestant.pause();
  }
}

/** So that nobody is always the first. */
function rotate<Item>(items: readonly Item[], by: number): Item[] {
  return items.map((_, index) => items[(index + by) % items.length]!);
}
