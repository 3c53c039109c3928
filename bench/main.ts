/**
 * `npm run bench`: the same programs natively, in our guest, in qemu and in v86, in turns. What can be said on the
 * command line is in options.ts, what is run in suite.ts.
 */
import { writeFileSync } from 'node:fs';
import { LaunchError } from '../src/vm/index.js';
import { describeComputer, renderBenchmarksPage } from './benchmarks-page.js';
import { ContestantError } from './contestant.js';
import { findDisagreements, findLargeGuests, type ProgramRuns } from './measurements.js';
import { OptionError, type Options, parseOptions, USAGE } from './options.js';
import { prepareBench } from './prepare.js';
import { renderReport } from './report.js';
import { Rounds } from './rounds.js';
import { GROUPS, PROGRAMS } from './suite.js';

const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function main(options: Options): Promise<number> {
  if (options.action === 'help') return print(USAGE);
  if (options.action === 'list') {
    const lines = PROGRAMS.map(({ group, name, words }) => `${`${group}/${name}`.padEnd(26)} ${words.join(' ')}\n`);
    return print(lines.join(''));
  }
  const signal = endOnSignals();
  const bench = await prepareBench(options, say);
  try {
    const rounds = new Rounds(options.rounds, say, signal);
    const boots = bench.boots.length > 0 ? [await rounds.boot(bench.boots)] : [];
    const { programs, peaks } = await rounds.run(bench);
    const all = [...programs, ...boots];
    const { tables, missed } = renderReport(GROUPS, all, [...bench.descriptions.keys()], options.time);
    const wrong = all.flatMap(findDisagreements);
    const remarks = [
      ...[...peaks].map(([name, megabytes]) => `Most resident memory of ${name}: ${megabytes.toFixed(0)} MB.`),
      ...[...missed, ...findLargeGuests(peaks)].map((text) => `Missed: ${text}`),
      ...wrong.map((text) => `Wrong: ${text}`),
    ];
    if (all.length > 0) print(`${tables}\n`);
    for (const text of [...bench.missing, ...remarks]) print(`${text}\n`);
    if (options.json !== undefined) writeFileSync(options.json, renderJson(all));
    if (options.writeDocs) {
      const { time } = options;
      const computer = describeComputer();
      const [nodeVersion, date] = [process.versions.node, new Date().toISOString().slice(0, 10)];
      const page = renderBenchmarksPage({
        bench,
        rounds: options.rounds,
        time,
        tables,
        remarks,
        computer,
        nodeVersion,
        date,
      });
      writeFileSync('docs/benchmarks.md', page);
    }
    return wrong.length > 0 ? 1 : 0;
  } finally {
    bench.dispose();
  }
}

/** Aborted when somebody ends the bench: stopped processes would stay behind. */
function endOnSignals(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort());
  return controller.signal;
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

function renderJson(programs: readonly ProgramRuns[]): string {
  const plain = programs.map(({ group, name, runs }) => ({ group, name, runs: Object.fromEntries(runs) }));
  return `${JSON.stringify(plain, undefined, 1)}\n`;
}

try {
  process.exitCode = await main(parseOptions(process.argv.slice(2), process.env));
} catch (error) {
  if (![OptionError, LaunchError, ContestantError].some((kind) => error instanceof kind)) throw error;
  say(`bench: ${(error as Error).message}`);
  process.exitCode = 2;
}
