/** Rounds in which every contestant runs every program, one contestant at a time, the others stopped. */
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

type Say = (text: string) => void;

/** Boots; the guests of the other rounds do not run yet. */
export async function runBoots(boots: readonly ContestantCommand[], rounds: number, say: Say): Promise<ProgramRuns> {
  const runs = new Map(boots.map(({ name }): [string, Run[]] => [name, []]));
  for (let round = 0; round < rounds; round++) {
    const line = [`${round + 1}/${rounds} ${BOOT.padEnd(26)}`];
    for (const command of rotate(boots, round)) {
      const run = await orFailure(() => bootOnce(command), say);
      runs.get(command.name)!.push(run);
      line.push(describe(command.name, run));
    }
    say(line.join('  '));
  }
  return { group: BOOT, name: 'to the prompt', runs };
}

/** Rejects with `ContestantError` when one cannot be started. */
export async function runPrograms({ contestants, programs }: Bench, rounds: number, say: Say): Promise<Outcome> {
  const results = programs.map(({ group, name }) => {
    return { group, name, runs: new Map(contestants.map((command): [string, Run[]] => [command.name, []])) };
  });
  const running = new Map<string, Contestant>();
  try {
    for (const command of contestants) running.set(command.name, await start(command, programs, say));
    for (let round = 0; round < rounds; round++) {
      for (const [index, program] of programs.entries()) {
        const line = [`${round + 1}/${rounds} ${`${program.group}/${program.name}`.padEnd(26)}`];
        for (const command of rotate(contestants, round + index)) {
          const { name } = command;
          const run = await orFailure(() => takeTurn(running.get(name)!, program), say);
          results[index]!.runs.get(name)!.push(run);
          line.push(describe(name, run));
          if (run.status !== NO_ANSWER) continue;
          await running.get(name)!.stop();
          running.set(name, await start(command, programs, say));
        }
        say(line.join('  '));
      }
    }
    const guests = contestants.filter(({ isNative }) => !isNative);
    return { programs: results, peaks: new Map(guests.map(({ name }) => [name, running.get(name)!.peakMegabytes()])) };
  } finally {
    for (const contestant of running.values()) await contestant.stop();
  }
}

/** The status of a run whose contestant has died or hangs. */
const NO_ANSWER = -1;

async function orFailure(action: () => Promise<Run>, say: Say): Promise<Run> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof ContestantError)) throw error;
    say(error.message);
    return { wallMs: Number.NaN, processorMs: Number.NaN, status: NO_ANSWER, output: error.message };
  }
}

/** Starts one and lets it make its data; it comes back stopped. */
async function start(command: ContestantCommand, programs: readonly BenchProgram[], say: Say): Promise<Contestant> {
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

function describe(name: string, { wallMs, processorMs, status }: Run): string {
  return status === 0 ? `${name} ${wallMs.toFixed(0)} (${processorMs.toFixed(0)})` : `${name} failed`;
}

/** So that nobody is always the first. */
function rotate<Item>(items: readonly Item[], by: number): Item[] {
  return items.map((_, index) => items[(index + by) % items.length]!);
}
