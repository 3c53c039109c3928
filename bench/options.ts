/** The words behind `npm run bench --`. */
import { type BenchProgram, BOOT, GROUPS, PROGRAMS } from './suite.js';
import type { TimeKind } from './measurements.js';

const GROUP_NAMES = GROUPS.map(({ name }) => name).join(', ');

export const USAGE = `npm run bench [-- OPTIONS… [ROUNDS]]

Runs the same programs natively, in our guest, in qemu-system-i386 and in v86, ROUNDS times in turns (3).

--group=NAME,…      only these groups: ${GROUP_NAMES}
--programs=NAME,…   only programs whose name, or group/name, is one of these
--peers=NAME,…      only these contestants: lguest, native, qemu, v86; lguest@FOLDER is the lguest of another clone;
                    lguest-board and pc-board: our two boards with one and the same kernel
--lguest-kernel=FILE  that kernel, with lguest guest support; default: LGUEST_BENCH_KERNEL
--lguest=OPTIONS    options for lguest, e.g. --lguest='--no-jit --stats=stats.json'
--v86=FOLDER        where npm has installed v86 (npm i --no-save v86); default: here, or LGUEST_BENCH_V86
--time=processor    compare processor time, which other work on the computer disturbs less, instead of real time
--json=FILE         write all measurements to FILE
--write-docs        write docs/benchmarks.md
--list              list the programs
`;

export interface Options {
  rounds: number;
  programs: BenchProgram[];
  boot: boolean;
  peers: string[];
  lguestOptions: string[];
  v86Folder: string | undefined;
  /** A kernel with lguest guest support, for the contestants `BOARDS`. */
  lguestKernel: string | undefined;
  time: TimeKind;
  json: string | undefined;
  writeDocs: boolean;
  /** Nothing is run. */
  action: 'run' | 'list' | 'help';
}

export class OptionError extends Error {}

/** Throws `OptionError`, whose message is a sentence. */
export function parseOptions(words: readonly string[], environment: NodeJS.ProcessEnv = {}): Options {
  const options: Options = {
    rounds: 3,
    programs: [...PROGRAMS],
    boot: true,
    peers: ['native', 'lguest', 'qemu', 'v86'],
    lguestOptions: [],
    v86Folder: environment['LGUEST_BENCH_V86'],
    lguestKernel: environment['LGUEST_BENCH_KERNEL'],
    time: 'wall',
    json: undefined,
    writeDocs: false,
    action: 'run',
  };
  for (const word of words) {
    const [, name, value] = /^--([\w-]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (name === undefined) {
      options.rounds = Number(word);
      if (!/^[1-9]\d*$/.test(word)) throw new OptionError(`'${word}' is no number of rounds.`);
      continue;
    }
    const list = (value ?? '').split(',').filter((part) => part !== '');
    switch (name) {
      case 'group':
      case 'groups':
        selectGroups(options, list);
        break;
      case 'program':
      case 'programs':
        selectPrograms(options, list);
        break;
      case 'peers':
        options.peers = list;
        for (const peer of list) {
          if (!/^(native|qemu|v86|lguest-board|pc-board|lguest(@.+)?)$/.test(peer)) {
            throw new OptionError(
              `there is no contestant '${peer}': native, lguest, lguest@FOLDER, lguest-board, pc-board, qemu and v86 there are.`,
            );
          }
        }
        break;
      case 'lguest':
        options.lguestOptions = (value ?? '').split(/\s+/).filter((part) => part !== '');
        break;
      case 'lguest-kernel':
        options.lguestKernel = value;
        break;
      case 'v86':
        options.v86Folder = value;
        break;
      case 'time':
        if (value !== 'wall' && value !== 'processor') throw new OptionError('--time is wall or processor.');
        options.time = value;
        break;
      case 'json':
        options.json = value;
        break;
      case 'write-docs':
        options.writeDocs = true;
        break;
      case 'list':
        options.action = 'list';
        break;
      case 'help':
        options.action = 'help';
        break;
      default:
        throw new OptionError(`there is no option --${name}: npm run bench -- --help lists those there are.`);
    }
  }
  return options;
}

function selectGroups(options: Options, names: readonly string[]): void {
  const unknown = names.find((name) => !GROUPS.some((group) => group.name === name));
  if (unknown !== undefined) throw new OptionError(`there is no group '${unknown}': there are ${GROUP_NAMES}.`);
  options.boot = names.includes(BOOT);
  options.programs = options.programs.filter(({ group }) => names.includes(group));
}

function selectPrograms(options: Options, names: readonly string[]): void {
  const matches = ({ group, name }: BenchProgram, wanted: string): boolean =>
    name === wanted || `${group}/${name}` === wanted;
  const unknown = names.find((wanted) => !PROGRAMS.some((program) => matches(program, wanted)));
  if (unknown !== undefined) throw new OptionError(`there is no program '${unknown}': --list names them all.`);
  options.boot = false;
  options.programs = options.programs.filter((program) => names.some((wanted) => matches(program, wanted)));
}
