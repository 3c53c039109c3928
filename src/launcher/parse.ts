/*L:120
 * Reading the command line
 *
 * The original's form is a promise: `lguest [options] <memory-MB> <kernel> [kernel arguments…]`. The first word that
 * is no option is the memory size, the second the kernel, and from there on every word belongs to the kernel, even if
 * it looks like one of our options. (The original let getopt pick options out of the kernel's arguments; nobody ever
 * wanted that.) An option's value follows `=` or a blank.
 */
import { LaunchError } from '../vm/launch-error.js';
import { DEFAULT_MEMORY_MEGABYTES, parseMemory } from '../vm/options.js';
import { createSettings, findOption, OPTIONS, type OptionRow, type Settings } from './options.js';

export type Invocation =
  | { form: 'launch'; settings: Settings & { kernel: string }; kernelArguments: string[] }
  /** No kernel at all: the default guest. */
  | { form: 'default'; settings: Settings }
  /** One command in the default guest. */
  | { form: 'run'; settings: Settings; command: string[] }
  /** The images of the default guest. */
  | { form: 'image'; settings: Settings; action: ImageAction; id: string | undefined }
  | { form: 'help' }
  | { form: 'help-option'; row: OptionRow }
  | { form: 'version' };

/** The first word behind the kernel that somebody meant for us, if any: it goes to the kernel all the same. */
export function findMisplacedOption(kernelArguments: readonly string[]): string | undefined {
  // Behind a lone -- are arguments of init.
  const end = kernelArguments.indexOf('--');
  const words = end < 0 ? kernelArguments : kernelArguments.slice(0, end);
  return words.find((word) => word.startsWith('--') && findOption(word.replace(/=.*/, '')) !== undefined);
}

export const IMAGE_ACTIONS = ['list', 'build', 'remove'] as const;
export type ImageAction = (typeof IMAGE_ACTIONS)[number];

/** Words that may stand where the memory size does, for forms that come later. */
const FUTURE_COMMANDS = ['doctor', 'list', 'attach', 'exec', 'snapshot', 'resume', 'fork', 'trace'];

/** Understands the words behind `lguest`. Throws `LaunchError` with one sentence about the first mistake. */
export function parseCommandLine(argv: readonly string[]): Invocation {
  if (argv[0] === 'help') return parseHelp(argv.slice(1));
  if (argv[0] === 'run') return parseRun(argv.slice(1));
  if (argv[0] === 'image') return parseImage(argv.slice(1));
  if (argv[0] !== undefined && FUTURE_COMMANDS.includes(argv[0])) {
    throw new LaunchError(
      `'lguest ${argv[0]}' is not here yet; what is: lguest [options] <memory-MB> <kernel> [kernel arguments…].`,
    );
  }

  const settings = createSettings();
  const kernelArguments: string[] = [];
  let onlyWords = false;
  /** The memory size was a bare word: whoever writes one means to launch a kernel. */
  let short = false;
  let index = 0;
  while (index < argv.length) {
    const word = argv[index++]!;
    if (!onlyWords && word === '--') onlyWords = true;
    else if (!onlyWords && /^-[^\d]/.test(word)) index += applyOption(settings, word, argv[index]);
    else if (settings.memory === undefined && (settings.kernel === undefined || looksLikeMemory(word))) {
      settings.memory = parseMemoryWord(word);
      short = true;
    } else if (settings.kernel === undefined) {
      settings.kernel = word;
      kernelArguments.push(...argv.slice(index));
      break;
    } else {
      // --kernel was given: what is left is the kernel's.
      kernelArguments.push(word, ...argv.slice(index));
      break;
    }
    if (settings.help) return { form: 'help' };
    if (settings.version) return { form: 'version' };
  }

  if (settings.kernel !== undefined) {
    return { form: 'launch', settings: settings as Settings & { kernel: string }, kernelArguments };
  }
  if (short || settings.initrd !== undefined) {
    throw new LaunchError('the kernel is missing: say which one after the memory size, e.g. lguest 64 vmlinux.');
  }
  return { form: 'default', settings };
}

/** Options, then the command, with `--` between the two or not. */
function parseRun(words: readonly string[]): Invocation {
  const { settings, rest, answer } = parseOptions(words);
  if (answer !== undefined) return answer;
  refuseKernel(settings, 'run');
  if (rest.length > 0) return { form: 'run', settings, command: rest };
  throw new LaunchError('the command is missing: say what to run, e.g. lguest run -- uname -a.');
}

function parseImage(words: readonly string[]): Invocation {
  const { settings, rest, answer } = parseOptions(words);
  if (answer !== undefined) return answer;
  refuseKernel(settings, 'image');
  const action = IMAGE_ACTIONS.find((name) => name === rest[0]);
  if (action === undefined) {
    const what = rest[0] === undefined ? 'lacks a word' : `knows no '${rest[0]}'`;
    throw new LaunchError(`lguest image ${what}: write lguest image list, build or remove.`);
  }
  const more = parseOptions(rest.slice(1), settings);
  if (more.answer !== undefined) return more.answer;
  const [id, surplus] = more.rest;
  const last = action === 'remove' ? surplus : id;
  if (last !== undefined) throw new LaunchError(`lguest image ${action} takes no '${last}': leave it out.`);
  return { form: 'image', settings, action, id };
}

/** Options up to the first word that is none, or up to `--`. */
function parseOptions(
  words: readonly string[],
  settings = createSettings(),
): { settings: Settings; rest: string[]; answer?: Invocation } {
  let index = 0;
  while (index < words.length) {
    const word = words[index]!;
    if (word === '--') return { settings, rest: words.slice(index + 1) };
    if (!/^-[^\d]/.test(word)) break;
    index += 1 + applyOption(settings, word, words[index + 1]);
    if (settings.help) return { settings, rest: [], answer: { form: 'help' } };
    if (settings.version) return { settings, rest: [], answer: { form: 'version' } };
  }
  return { settings, rest: words.slice(index) };
}

function refuseKernel(settings: Settings, form: string): void {
  const option = settings.kernel !== undefined ? 'kernel' : settings.initrd !== undefined ? 'initrd' : undefined;
  if (option === undefined) return;
  throw new LaunchError(`lguest ${form} is about the default guest: leave out --${option}.`);
}

/** Stores one option; returns how many further words it took (0 or 1). */
function applyOption(settings: Settings, word: string, next: string | undefined): number {
  const equals = word.indexOf('=');
  const spelling = equals < 0 ? word : word.slice(0, equals);
  const row = findOption(spelling);
  if (row === undefined) throw new LaunchError(describeUnknownOption(spelling));
  if (row.unavailable !== undefined) throw new LaunchError(row.unavailable);
  if (row.argument === undefined) {
    if (equals >= 0) throw new LaunchError(`${spelling} takes no value: leave out ${word.slice(equals)}.`);
    row.apply(settings, '');
    return 0;
  }
  if (equals >= 0) {
    const value = word.slice(equals + 1);
    if (value === '') throw new LaunchError(`${word} lacks its value: write ${spelling}=${row.argument}.`);
    row.apply(settings, value);
    return 0;
  }
  if (row.argumentOptional === true) {
    row.apply(settings, '');
    return 0;
  }
  if (next === undefined) throw new LaunchError(`${spelling} lacks its value: write ${spelling}=${row.argument}.`);
  row.apply(settings, next);
  return 1;
}

function looksLikeMemory(word: string): boolean {
  return /^\d+[mMgG]?$/.test(word);
}

/** The bare word where the memory size belongs; the likely mistakes get a sentence of their own. */
function parseMemoryWord(word: string): number {
  if (!/^-?\d/.test(word)) {
    throw new LaunchError(
      `the memory size is missing: '${word}' stands where the megabytes belong; write lguest ${DEFAULT_MEMORY_MEGABYTES.lguest} ${word === '' ? 'vmlinux' : word}.`,
    );
  }
  return parseMemory(word, 'pc');
}

function parseHelp(words: readonly string[]): Invocation {
  const word = words[0];
  if (word === undefined) return { form: 'help' };
  const row = findOption(word) ?? findOption(`--${word.replace(/^-+/, '')}`);
  if (row === undefined) throw new LaunchError(describeUnknownOption(`--${word.replace(/^-+/, '')}`));
  return { form: 'help-option', row };
}

/** The sentence for an option nobody knows, with the nearest one that somebody does. */
function describeUnknownOption(spelling: string): string {
  const nearest = findNearestOption(spelling.replace(/^-+/, ''));
  const hint = nearest === undefined ? 'lguest --help lists all there are' : `did you mean --${nearest}?`;
  return `unknown option ${spelling}: ${hint}${nearest === undefined ? '.' : ''}`;
}

/** The option whose name needs the fewest changes to become `name`, if that is not a different word altogether. */
function findNearestOption(name: string): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.ceil(name.length / 3)) + 1;
  for (const row of OPTIONS) {
    if (row.hidden) continue;
    const distance = row.name.startsWith(name) && name.length >= 2 ? 1 : editDistance(name, row.name);
    if (distance < bestDistance && distance < row.name.length) {
      best = row.name;
      bestDistance = distance;
    }
  }
  return best;
}

/** Insertions, removals, replacements and swaps of neighbours that turn `a` into `b` (both short). */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= Math.min(a.length, 64); row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(last[column]! + 1, current[column - 1]! + 1, last[column - 1]! + (same ? 0 : 1));
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        cost = Math.min(cost, beforeLast[column - 2]! + 1);
      }
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length]!;
}
