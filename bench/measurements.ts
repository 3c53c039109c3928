/** Numbers out of measurements, and what they are to be. */

/** One run of a program by one contestant. */
export interface Run {
  wallMs: number;
  /** Of the contestant's whole process; NaN where the system does not tell. */
  processorMs: number;
  /** As a shell has it; -1: there was no answer, and the output says why. */
  status: number;
  output: string;
}

/** All runs of one program: by contestant, in the order of the rounds. */
export interface ProgramRuns {
  group: string;
  name: string;
  runs: ReadonlyMap<string, readonly Run[]>;
}

/** What time is taken from a run. */
export type TimeKind = 'wall' | 'processor';

/** NaN of none. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** NaN of none. */
export function geometricMean(numbers: readonly number[]): number {
  return Math.exp(numbers.reduce((sum, number) => sum + Math.log(number), 0) / numbers.length);
}

/** Median milliseconds of each contestant that has run the program to its end, with the result of the first that has. */
export function mediansOf(program: ProgramRuns, kind: TimeKind): Map<string, number> {
  const medians = new Map<string, number>();
  const right = [...program.runs.values()].flat().find(({ status }) => status === 0)?.output;
  for (const [contestant, runs] of program.runs) {
    const times = runs
      .filter(({ status, output }) => status === 0 && output === right)
      .map((run) => (kind === 'wall' ? run.wallMs : run.processorMs));
    if (times.length > 0) medians.set(contestant, median(times));
  }
  return medians;
}

/** What is wrong with the results of a program: one line for each contestant that is not as the first. */
export function findDisagreements({ group, name, runs }: ProgramRuns): string[] {
  const label = `${group}/${name}`;
  const all = [...runs].flatMap(([contestant, list]) => list.map((run) => ({ contestant, run })));
  const found = new Set<string>();
  for (const { contestant, run } of all) {
    const says = JSON.stringify(run.output.trim().slice(0, 200));
    if (run.status !== 0) found.add(`${label}: ${contestant} ended with status ${run.status} and said ${says}`);
    else if (run.output.trim() === '') found.add(`${label}: ${contestant} printed nothing`);
    else if (run.output !== all[0]!.run.output) {
      const other = JSON.stringify(all[0]!.run.output.trim().slice(0, 200));
      found.add(`${label}: ${contestant} says ${says}, ${all[0]!.contestant} ${other}`);
    }
  }
  return [...found];
}

/** Of the programs that both have run, the geometric mean of `contestant`'s times over `reference`'s; NaN of none. */
export function meanRatio(
  programs: readonly ReadonlyMap<string, number>[],
  contestant: string,
  reference: string,
): number {
  const ratios = programs.flatMap((times) => {
    const [time, base] = [times.get(contestant), times.get(reference)];
    return time === undefined || base === undefined ? [] : [time / base];
  });
  return geometricMean(ratios);
}

/** A program more than so many times slower than the better peer is a missed target. */
export const MOST_BEHIND_A_PEER = 1.5;
/** How many times the speed of a peer a group as a whole is to have. */
export const LEAST_SPEED_OF_PEERS: ReadonlyMap<string, number> = new Map([
  ['qemu', 1],
  ['v86', 2],
]);

/** Most resident memory of our process, with a guest of 128 MB, after everything. */
const MOST_MEGABYTES = 400;

/** Sentences about guests of ours that have taken too much memory. */
export function findLargeGuests(peaks: ReadonlyMap<string, number>): string[] {
  return [...peaks]
    .filter(([name, megabytes]) => name.startsWith('lguest') && megabytes > MOST_MEGABYTES)
    .map(([name, megabytes]) => `${name} took ${megabytes.toFixed(0)} MB; the target is ${MOST_MEGABYTES}.`);
}
