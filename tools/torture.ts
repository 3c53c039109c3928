/**
 * `npm run torture -- [--machine=WORD] [--translator=WORD] WORDS…`: runs `lguest WORDS…` interpreted and translated,
 * under every torture switch, and says where the guest has noticed. Time is virtual: its console and the number of its
 * instructions have to be the same. The options choose switches that contain a word ('none': those without). Every
 * region that is translated at once is a module of its own, which takes a boot an hour: those are left out unless chosen.
 *
 *     npm run torture -- --initrd=root.cpio.gz 64 vmlinux console=hvc0
 *     npm run torture -- --translator=at-once --guest=conformance
 */

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * What may change what a guest does, so that it is compared with an interpreted run under the same. A timer interrupt
 * every 500 instructions, as the conformance guest stands it, would leave Linux no time for anything else.
 */
const MACHINE = ['', 'flush-tlb=5000', 'interrupt-storm=5000', 'save=5000011'];

/** What may not. */
const TRANSLATOR = [
  '',
  'drop-translations=1000000',
  'translate-after=20',
  'translate-after=20,drop-translations=5000000',
  'translate-after=200,one-instruction-regions',
];

const SLOW = [
  'translate-at-once',
  'translate-at-once,drop-translations=100000',
  'translate-at-once,one-instruction-regions',
];

interface Outcome {
  readonly status: number;
  readonly output: string;
  readonly instructions: number;
  /** Regions translated. */
  readonly regions: number;
  readonly seconds: number;
}

const folder = mkdtempSync(join(tmpdir(), 'lguest-torture-'));

function run(words: readonly string[], switches: readonly string[], jit: boolean): Promise<Outcome> {
  const stats = join(folder, 'stats.json');
  const torture = switches.filter((word) => word !== '').join();
  const options = ['--clock=virtual', `--stats=${stats}`];
  if (torture !== '') options.push(`--torture=${torture}`);
  if (!jit) options.push('--no-jit');
  const line = words[0] === 'run' ? ['run', ...options, ...words.slice(1)] : [...options, ...words];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join('bin', 'lguest'), ...line], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('latin1').on('data', (text: string) => {
        output += text;
      });
    }
    child.on('error', reject);
    child.on('close', (status) => {
      // A guest that could not start, or one that was killed, leaves no counts.
      if (!existsSync(stats)) return reject(new Error(`lguest ${line.join(' ')}: status ${status}, ${output.trim()}`));
      const { instructions, runSeconds, translation } = JSON.parse(readFileSync(stats, 'utf8'));
      resolve({
        status: status ?? -1,
        output,
        instructions,
        regions: translation?.translated ?? 0,
        seconds: runSeconds,
      });
      rmSync(stats);
    });
  });
}

/** What is different, if anything is. */
function compare(expected: Outcome, found: Outcome): string[] {
  const differences: string[] = [];
  if (found.status !== expected.status) differences.push(`status ${found.status}, interpreted ${expected.status}`);
  if (found.instructions !== expected.instructions)
    differences.push(`${found.instructions} instructions, interpreted ${expected.instructions}`);
  if (found.output !== expected.output) {
    const [ours, theirs] = [found.output.split('\n'), expected.output.split('\n')];
    const line = ours.findIndex((text, at) => text !== theirs[at]);
    differences.push(`line ${line + 1} is ${JSON.stringify(ours[line])}, interpreted ${JSON.stringify(theirs[line])}`);
  }
  return differences;
}

function isChosen(switches: string, choice: string | undefined): boolean {
  return choice === undefined || (choice === 'none' ? switches === '' : switches.includes(choice));
}

const choices = new Map<string, string>();
const words = process.argv.slice(2);
while (/^--(machine|translator)=/.test(words[0] ?? '')) {
  const [name, value] = words.shift()!.slice(2).split('=', 2);
  choices.set(name!, value!);
}
let bad = 0;
try {
  for (const machine of MACHINE) {
    if (!isChosen(machine, choices.get('machine'))) continue;
    const expected = await run(words, [machine], false);
    console.log(
      `${machine || 'no torture'}, interpreted: status ${expected.status}, ${expected.instructions} instructions, ${expected.seconds.toFixed(1)} s`,
    );
    for (const translator of choices.has('translator') ? [...TRANSLATOR, ...SLOW] : TRANSLATOR) {
      if (!isChosen(translator, choices.get('translator'))) continue;
      const found = await run(words, [machine, translator], true);
      const differences = compare(expected, found);
      if (differences.length > 0) bad++;
      const verdict = differences.length === 0 ? 'the same' : `DIFFERENT: ${differences.join('; ')}`;
      console.log(
        `  ${translator || 'translated when hot'}: ${verdict} (${found.regions} regions, ${found.seconds.toFixed(1)} s)`,
      );
    }
  }
  console.log(bad === 0 ? 'the guest has noticed nothing' : `${bad} runs are different`);
  process.exitCode = bad === 0 ? 0 : 1;
} catch (error) {
  console.error(`torture: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 2;
} finally {
  rmSync(folder, { recursive: true });
}
