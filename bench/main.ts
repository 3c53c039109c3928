/**
 * `npm run bench`: the same programs natively, in our guest, in qemu and in v86, in turns. What can be said on the
 * command line is in options.ts, what is run in suite.ts.
 */
import { writeFileSync } from 'node:fs';
import { LaunchError } from '../src/vm/index.js';
import { prepareBench } from './prepare.js';
import { OptionError, type Options, parseOptions, USAGE } from './options.js';
import { findDisagreements, type ProgramRuns } from './measurements.js';
import { renderReport } from './report.js';
import { runRounds } from './rounds.js';
import { GROUPS, PROGRAMS } from './suite.js';

const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function main(options: Options): Promise<number> {
  if (options.action === 'help') return print(USAGE);
  if (options.action === 'list') {
    return print(
      PROGRAMS.map(({ group, name, words }) => `${`${group}/${name}`.padEnd(26)} ${words.join(' ')}\n`).join(''),
    );
  }
  const bench = await prepareBench(options, say);
  try {
    const { programs, peaks } = await runRounds(bench, options.rounds, say);
    const contestants = bench.contestants.map(({ name }) => name);
    const { tables, missed } = renderReport(GROUPS, programs, contestants, options.time);
    const wrong = programs.flatMap(findDisagreements);
    print(`${tables}\n`);
    for (const [name, megabytes] of peaks) print(`Most resident memory of ${name}: ${megabytes.toFixed(0)} MB.\n`);
    for (const line of [
      ...bench.missing,
      ...missed.map((text) => `MISSED: ${text}`),
      ...wrong.map((text) => `WRONG: ${text}`),
    ]) {
      print(`${line}\n`);
    }
    if (options.json !== undefined) writeFileSync(options.json, renderJson(programs));
    return wrong.length > 0 ? 1 : 0;
  } finally {
    bench.dispose();
  }
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
  if (!(error instanceof OptionError || error instanceof LaunchError)) throw error;
  say(`bench: ${error.message}`);
  process.exitCode = 2;
}
