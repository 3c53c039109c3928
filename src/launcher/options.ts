/*L:110
 * The option table
 *
 * Everything that can be said on the command line is one row of the table below: its name, what follows it, the group
 * it is listed in, what holds without it, its short and its long explanation, and the name it has when the machine is
 * started from a program. Parsing, `--help`, `lguest help OPTION` and the page in the documentation are all made from
 * these rows, so they cannot disagree. A new option is a new row, and nothing else.
 */
import { LaunchError } from '../vm/launch-error.js';
import {
  DEFAULT_MEMORY_MEGABYTES,
  GENERATIONS,
  type GenerationName,
  LARGEST_MEMORY_MEGABYTES,
  LARGEST_PC_MEMORY_MEGABYTES,
  parseMemory,
  type TortureOptions,
  TRACE_TOPICS,
  type TraceTopic,
  type VirtualMachineOptions,
} from '../vm/options.js';

/** What the command line said, option by option; undefined: nothing. */
export interface Settings {
  /** Bytes. */
  memory?: number;
  kernel?: string;
  initrd?: string;
  append?: string;
  guest: GuestName;
  packages?: string;
  board: 'auto' | 'lguest' | 'pc';
  generation: 'auto' | GenerationName;
  pae: 'auto' | boolean;
  maxInstructions?: number;
  maxSeconds?: number;
  rng: boolean;
  debugExitPort?: number;
  clock: 'real' | 'virtual';
  seed?: number;
  verbose: boolean;
  trace: TraceTopic[];
  traceFile?: string;
  /** true: to standard error; text: a file. */
  stats?: true | string;
  /** true: to standard error; text: a file. */
  profile?: true | string;
  symbols?: string;
  torture: TortureOptions;
  jit?: boolean;
  jitThread?: boolean;
  jitMemory?: number;
  help: boolean;
  version: boolean;
}

/** Guests that lguest can make itself. */
export const GUESTS = ['debian', 'debian-pae', 'conformance'] as const;
export type GuestName = (typeof GUESTS)[number];

/** Memory of a guest whose kernel was not named, megabytes: Debian's kernel and its first files take 40. */
export const DEFAULT_GUEST_MEGABYTES = 128;

export function createSettings(): Settings {
  return {
    guest: 'debian',
    board: 'auto',
    generation: 'auto',
    pae: 'auto',
    rng: false,
    clock: 'real',
    verbose: false,
    trace: [],
    torture: {},
    help: false,
    version: false,
  };
}

export const GROUPS = ['Guest', 'Devices', 'Limits', 'Looking in', 'Speed', 'Help'] as const;

export interface OptionRow {
  /** Without the leading dashes. */
  name: string;
  /** Other spellings, complete: '-v'. The single-dash words are qemu's. */
  aliases?: readonly string[];
  /** What the value is called in help texts; a row without it is a switch. */
  argument?: string;
  /** The value may be left out (`--stats`); it can then only be given as `--stats=FILE`. */
  argumentOptional?: boolean;
  group: (typeof GROUPS)[number];
  /** What holds when the option is not given, in words. */
  default?: string;
  /** Which board the option matters to. */
  board: 'all' | 'lguest' | 'pc';
  /** One line for `--help`, no full stop. */
  help: string;
  /** Paragraphs for `lguest help OPTION`, after the one line. */
  details?: string;
  /** Its name and type in `VirtualMachineOptions`. */
  api?: { key: keyof VirtualMachineOptions; type: string };
  /** Not in `--help`: for those who work on lguest itself. */
  hidden?: boolean;
  /** The option is understood, but cannot be served yet: the sentence that says so. */
  unavailable?: string;
  /** Stores the value. Throws `LaunchError`, to which the parser adds nothing. */
  apply(settings: Settings, value: string): void;
}

const nothing = (): void => {};

export const OPTIONS: readonly OptionRow[] = [
  {
    name: 'memory',
    aliases: ['-m'],
    argument: 'MB',
    group: 'Guest',
    board: 'all',
    default: `${DEFAULT_GUEST_MEGABYTES} for the default guest; with --kernel ${DEFAULT_MEMORY_MEGABYTES.lguest}, on the pc board ${DEFAULT_MEMORY_MEGABYTES.pc}; the short form always names it`,
    help: "the guest's memory in megabytes",
    details: `A whole number of megabytes from 1 to ${LARGEST_MEMORY_MEGABYTES} (on the pc board ${LARGEST_PC_MEMORY_MEGABYTES}), or one with a unit (64M, 1G). The same as the first word of \`lguest 64 vmlinux\`.
A kernel without CONFIG_HIGHMEM uses about 880 MB; with more it looks for its devices in the wrong place and finds none.`,
    api: { key: 'memory', type: 'number | string' },
    apply: (settings, value) => {
      settings.memory = parseMemory(value, 'pc');
    },
  },
  {
    name: 'kernel',
    aliases: ['-kernel'],
    argument: 'FILE',
    group: 'Guest',
    board: 'all',
    help: 'the kernel: a vmlinux (ELF) or a bzImage',
    details: `The same as the second word of \`lguest 64 vmlinux\`. A 32-bit kernel: one that was built with CONFIG_LGUEST_GUEST runs on lguest's board, any other one on the pc board, as do kernels that follow Multiboot. A bzImage may be packed in any way: what we cannot unpack, the guest unpacks itself.
The file is read again when the guest restarts.`,
    api: { key: 'kernel', type: 'string | Uint8Array' },
    apply: (settings, value) => {
      settings.kernel = value;
    },
  },
  {
    name: 'initrd',
    aliases: ['-initrd'],
    argument: 'FILE',
    group: 'Guest',
    board: 'all',
    help: 'an initial RAM disk, handed to the kernel',
    details:
      'A cpio archive (initramfs) or a file system image, packed if the kernel can unpack it. It is put at the top of memory.',
    api: { key: 'initrd', type: 'string | Uint8Array' },
    apply: (settings, value) => {
      settings.initrd = value;
    },
  },
  {
    name: 'append',
    aliases: ['-append'],
    argument: 'ARGS',
    group: 'Guest',
    board: 'all',
    help: 'kernel arguments, before those that follow the kernel',
    details:
      'Words after the kernel are kernel arguments too, whatever they look like: `lguest 64 vmlinux root=/dev/ram0 --verbose` gives both to the kernel.',
    api: { key: 'append', type: 'string | readonly string[]' },
    apply: (settings, value) => {
      settings.append = value;
    },
  },
  {
    name: 'guest',
    argument: 'NAME',
    group: 'Guest',
    board: 'all',
    default: 'debian',
    help: `which guest, if no kernel is named: ${GUESTS.join(', ')}`,
    details: `debian        Debian's kernel for 32-bit PCs and a busybox, fetched with apt and put together at the first start
debian-pae    the same with Debian's kernel for PCs with PAE
conformance   a small kernel of our own that tries what the lguest Host promises and says what was kept`,
    apply: (settings, value) => {
      settings.guest = choose('guest', value, GUESTS);
    },
  },
  {
    name: 'packages',
    argument: 'FOLDER',
    group: 'Guest',
    board: 'all',
    default: 'apt fetches them',
    help: 'make the default guest from .deb files in FOLDER',
    details: `For computers without apt or without a network. FOLDER has Debian 12's packages linux-image-6.1.0-…-686 and busybox-static for i386, and a file SHA256SUMS with their SHA-256 sums, as sha256sum prints them.
Needed once: the guest that is made of them is kept, and so are the packages.`,
    apply: (settings, value) => {
      settings.packages = value;
    },
  },
  {
    name: 'board',
    argument: 'NAME',
    group: 'Guest',
    board: 'all',
    default: 'auto: what the kernel was built for',
    help: 'what the kernel runs on: lguest, pc or auto',
    details: `lguest is the paravirtual board: no hardware at all, the kernel asks the Host for everything.
pc, for kernels without lguest support, does not exist yet.`,
    api: { key: 'board', type: "'auto' | 'lguest' | 'pc'" },
    apply: (settings, value) => {
      settings.board = choose('board', value, ['auto', 'lguest', 'pc']);
    },
  },
  {
    name: 'generation',
    argument: 'NAME',
    group: 'Guest',
    board: 'lguest',
    default: 'auto: found out when the guest introduces itself',
    help: `which guest interface: auto, ${GENERATIONS.join(', ')}`,
    details: `The interface between guest and Host changed with the kernel: C1 is Linux 2.6.30, C2 2.6.31 to 2.6.33, D1 2.6.34 to 3.0, D2 3.1 to 3.19. The Host recognises it by the guest's data at LGUEST_INIT. Say it yourself only if that should ever go wrong.`,
    api: { key: 'generation', type: `'auto' | ${GENERATIONS.map((name) => `'${name}'`).join(' | ')}` },
    apply: (settings, value) => {
      settings.generation = choose(
        'generation',
        /^[a-z]/.test(value) && value !== 'auto' ? value.toUpperCase() : value,
        ['auto', ...GENERATIONS],
      );
    },
  },
  {
    name: 'pae',
    argument: 'yes|no|auto',
    group: 'Guest',
    board: 'lguest',
    default: 'auto: found out from the page tables in the kernel',
    help: 'whether the guest uses PAE page tables',
    details:
      'CONFIG_X86_PAE changes the shape of page tables. The Host recognises it by the tables the kernel was built with.',
    api: { key: 'pae', type: "'auto' | boolean" },
    apply: (settings, value) => {
      const answer = choose('pae', value, ['auto', 'yes', 'no']);
      settings.pae = answer === 'auto' ? 'auto' : answer === 'yes';
    },
  },
  {
    name: 'block',
    argument: 'FILE',
    group: 'Devices',
    board: 'all',
    help: 'a disk, kept in FILE (not here yet)',
    unavailable: 'the block device is not here yet: leave --block out and bring the files in with --initrd=FILE.',
    apply: nothing,
  },
  {
    name: 'rng',
    group: 'Devices',
    board: 'all',
    help: 'a device that hands out random numbers',
    details:
      'A virtio entropy device; the numbers are those of this computer, or with --seed or --clock=virtual the same ones in every run. The driver in the guest is virtio-rng.',
    api: { key: 'rng', type: 'boolean' },
    apply: (settings) => {
      settings.rng = true;
    },
  },
  {
    name: 'debug-exit',
    argument: 'PORT',
    group: 'Devices',
    board: 'pc',
    help: 'a port that ends the guest with a status, for kernels that test something',
    details:
      'A write of V to the port ends lguest with the status V × 2 + 1 (modulo 256), as qemu does with its isa-debug-exit. PORT is a number such as 0xf4.',
    api: { key: 'debugExitPort', type: 'number' },
    apply: (settings, value) => {
      const port = /^(0x[0-9a-f]+|\d+)$/i.test(value) ? Number(value) : Number.NaN;
      if (!(port >= 0 && port <= 0xffff)) {
        throw new LaunchError(`--debug-exit=${value} is not a port: give it a number from 0 to 0xffff, e.g. 0xf4.`);
      }
      settings.debugExitPort = port;
    },
  },
  {
    name: 'tunnet',
    argument: 'ADDRESS',
    group: 'Devices',
    board: 'lguest',
    help: 'a network card on a tap interface of this computer (not here yet)',
    unavailable: 'the network device is not here yet: leave --tunnet out.',
    apply: nothing,
  },
  {
    name: 'net',
    argument: 'HOW',
    argumentOptional: true,
    group: 'Devices',
    board: 'all',
    help: 'a network card (not here yet)',
    unavailable: 'the network device is not here yet: leave --net out.',
    apply: nothing,
  },
  {
    name: 'share',
    argument: 'DIR',
    group: 'Devices',
    board: 'all',
    help: 'a folder of this computer, seen in the guest (not here yet)',
    unavailable: 'shared folders are not here yet: leave --share out and bring the files in with --initrd=FILE.',
    apply: nothing,
  },
  {
    name: 'max-instructions',
    argument: 'N',
    group: 'Limits',
    board: 'all',
    default: 'no limit',
    help: 'end the guest after exactly N instructions (status 124)',
    details:
      'N may carry a unit: 500k, 20M, 3G are thousands, millions and billions. Restarts do not start the count anew.',
    api: { key: 'maxInstructions', type: 'number' },
    apply: (settings, value) => {
      settings.maxInstructions = parseCount('max-instructions', value);
    },
  },
  {
    name: 'max-seconds',
    argument: 'N',
    group: 'Limits',
    board: 'all',
    default: 'no limit',
    help: 'end the guest after N seconds of real time (status 124)',
    details:
      'N may be a fraction (0.5). It counts real time, whatever --clock says. With a limit set, a guest that sleeps while nothing can ever wake it is ended at once.',
    api: { key: 'maxSeconds', type: 'number' },
    apply: (settings, value) => {
      const seconds = /^\d+(\.\d+)?$|^\.\d+$/.test(value) ? Number(value) : 0;
      if (!(seconds > 0))
        throw new LaunchError(`--max-seconds=${value} is not a time: give it a number of seconds above 0.`);
      settings.maxSeconds = seconds;
    },
  },
  {
    name: 'clock',
    argument: 'real|virtual',
    group: 'Limits',
    board: 'all',
    default: 'real',
    help: 'virtual: time is instructions run, the same in every run',
    details: `With the virtual clock an instruction takes a nanosecond, a sleeping guest does not wait (time jumps to its next timer), and the day is always the one on which Linux 2.6.23, the first with lguest, came out. Two runs with the same input are then the same, instruction by instruction.
Input counts: from a file it is all there at the start; what is typed or comes through a pipe arrives when it arrives.`,
    api: { key: 'clock', type: "'real' | 'virtual'" },
    apply: (settings, value) => {
      settings.clock = choose('clock', value, ['real', 'virtual']);
    },
  },
  {
    name: 'seed',
    argument: 'N',
    group: 'Limits',
    board: 'all',
    default: 'a new one each time',
    help: 'makes the random numbers that the guest is given repeatable',
    details:
      'A whole number from 0 to 4294967295. It decides what --rng hands out, and what a kernel on the pc board is given to seed its own generator with.',
    api: { key: 'seed', type: 'number' },
    apply: (settings, value) => {
      const seed = /^\d+$/.test(value) ? Number(value) : -1;
      if (seed < 0 || seed > 0xffff_ffff) {
        throw new LaunchError(`--seed=${value} is not a seed: give it a whole number from 0 to 4294967295.`);
      }
      settings.seed = seed;
    },
  },
  {
    name: 'verbose',
    aliases: ['-v'],
    group: 'Looking in',
    board: 'all',
    help: 'say what is loaded where, and more when something fails',
    apply: (settings) => {
      settings.verbose = true;
    },
  },
  {
    name: 'trace',
    argument: 'WHAT,…',
    group: 'Looking in',
    board: 'all',
    help: `print ${TRACE_TOPICS.join(', ')}`,
    details: `A list, separated by commas, of:
hypercalls    what the guest asks of the Host, by name, with the arguments in words; cheap enough for a whole boot
traps         exceptions and system calls: what, where, and whether the guest or the Host dealt with it
interrupts    every interrupt as it is delivered
instructions  every single instruction; very slow
translation   code translated to WebAssembly: made, compiled, ended, and why
The first column of each line counts the instructions run. Lines go to standard error unless --trace-file says otherwise. Ctrl-] t switches the trace off and on.`,
    api: { key: 'trace', type: '{ topics: TraceTopic[], write(text: string): void }' },
    apply: (settings, value) => {
      const topics = value.split(',').map((topic) => choose('trace', topic, TRACE_TOPICS));
      settings.trace = [...new Set([...settings.trace, ...topics])];
    },
  },
  {
    name: 'trace-file',
    argument: 'FILE',
    group: 'Looking in',
    board: 'all',
    default: 'standard error',
    help: 'write the trace to FILE',
    apply: (settings, value) => {
      settings.traceFile = value;
    },
  },
  {
    name: 'stats',
    argument: 'FILE',
    argumentOptional: true,
    group: 'Looking in',
    board: 'all',
    help: 'print counts and times at the end, or write them to FILE as JSON',
    details:
      'Hypercalls by name (direct and through the ring), traps, interrupts, instructions, wall time, processor time, instructions per second, and what the translator did. How much time was spent in translated code is an estimate, made from where each turn of the guest ended.',
    apply: (settings, value) => {
      settings.stats = value === '' ? true : value;
    },
  },
  {
    name: 'profile',
    argument: 'FILE',
    argumentOptional: true,
    group: 'Looking in',
    board: 'all',
    help: "print where the guest's time went, or write it to FILE as JSON",
    details: `Some thousand times a second it is looked where the guest is; the time since the last look goes to the function there, whether it was translated or interpreted. What lguest did for the guest (devices, page tables) counts as the guest's own time, and as interpreted.
Functions are named by --symbols, or by the kernel file if it has symbols; code without a name is summed up by pages of 4 KB.
With --clock=virtual it is looked less often, so that the run stays the same.`,
    api: { key: 'profile', type: 'boolean' },
    apply: (settings, value) => {
      settings.profile = value === '' ? true : value;
    },
  },
  {
    name: 'symbols',
    argument: 'FILE',
    group: 'Looking in',
    board: 'all',
    default: 'those in the kernel file, if it has any',
    help: 'names for addresses: a System.map or an ELF vmlinux',
    details: 'When the guest dies, in traces and in profiles, addresses are named by the nearest symbol.',
    api: { key: 'symbols', type: 'string | Uint8Array' },
    apply: (settings, value) => {
      settings.symbols = value;
    },
  },
  {
    name: 'jit',
    group: 'Speed',
    board: 'all',
    hidden: true,
    help: 'translate code that runs often to WebAssembly: the default, takes back --no-jit',
    api: { key: 'jit', type: 'boolean' },
    apply: (settings) => {
      settings.jit = true;
    },
  },
  {
    name: 'no-jit',
    group: 'Speed',
    board: 'all',
    help: 'interpret only: do not translate code that runs often to WebAssembly',
    apply: (settings) => {
      settings.jit = false;
    },
  },
  {
    name: 'jit-thread',
    group: 'Speed',
    board: 'all',
    hidden: true,
    help: 'make WebAssembly in a thread of its own: the default, takes back --no-jit-thread',
    api: { key: 'jitThread', type: 'boolean' },
    apply: (settings) => {
      settings.jitThread = true;
    },
  },
  {
    name: 'no-jit-thread',
    group: 'Speed',
    board: 'all',
    help: 'make WebAssembly where the guest runs, which has to wait for it',
    details:
      'Else it is made in a thread of its own, which takes some megabytes and a second processor, if there is one.',
    apply: (settings) => {
      settings.jitThread = false;
    },
  },
  {
    name: 'jit-memory',
    argument: 'MB',
    group: 'Speed',
    board: 'all',
    default: '96',
    help: 'most memory for translated code',
    details:
      'Megabytes, with all that the JavaScript engine makes of it, as far as can be estimated. When there is more, what has not been in use lately is given up.',
    api: { key: 'jitMemory', type: 'number' },
    apply: (settings, value) => {
      settings.jitMemory = parseCount('jit-memory', value);
    },
  },
  {
    name: 'torture',
    argument: 'HOW,…',
    group: 'Speed',
    board: 'all',
    hidden: true,
    help: 'make rare cases common, to find bugs in lguest',
    details: `A list, separated by commas, of:
flush-tlb=N             empty the translation cache every N instructions
one-instruction-blocks  decode every instruction as a block of its own
translate-at-once       translate all code the first time it runs
translate-after=N       translate code that has run N times
one-instruction-regions translate instructions one by one
drop-translations=N     throw away all translated code every N instructions
interrupt-storm=N       turns of a few instructions; on the lguest board also a timer interrupt every N (500)
save=N                  save the machine every N instructions, and go on in another one
The guest must not notice any of them.`,
    api: { key: 'torture', type: 'TortureOptions' },
    apply: (settings, value) => {
      for (const part of value.split(',')) applyTorture(settings.torture, part);
    },
  },
  {
    name: 'help',
    aliases: ['-h'],
    group: 'Help',
    board: 'all',
    help: 'this list; `lguest help OPTION` says more about one',
    apply: (settings) => {
      settings.help = true;
    },
  },
  {
    name: 'version',
    group: 'Help',
    board: 'all',
    help: 'which lguest this is',
    apply: (settings) => {
      settings.version = true;
    },
  },
];

/** The row for a spelling such as `--memory` or `-m`; undefined when nobody knows it. */
export function findOption(spelling: string): OptionRow | undefined {
  return OPTIONS.find((row) => spelling === `--${row.name}` || row.aliases?.includes(spelling));
}

function choose<Choice extends string>(name: string, value: string, choices: readonly Choice[]): Choice {
  const found = choices.find((choice) => choice === value);
  if (found !== undefined) return found;
  throw new LaunchError(`--${name} knows no '${value}': choose from ${choices.join(', ')}.`);
}

/** Multipliers of `--max-instructions`. */
const UNITS: Record<string, number> = { '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 };

function parseCount(name: string, value: string): number {
  const match = /^(\d[\d_]*)([kMGT]?)$/.exec(value);
  const count = match === null ? 0 : Number(match[1]!.replaceAll('_', '')) * UNITS[match[2]!]!;
  if (count >= 1 && Number.isSafeInteger(count)) return count;
  throw new LaunchError(`--${name}=${value} is not a count: give it a whole number from 1 on, e.g. 20000000 or 20M.`);
}

function applyTorture(torture: TortureOptions, part: string): void {
  const flush = /^flush-tlb=([1-9]\d{0,9})$/.exec(part);
  const storm = /^interrupt-storm=([1-9]\d{0,9})$/.exec(part);
  const save = /^save=([1-9]\d{0,9})$/.exec(part);
  const after = /^translate-after=([1-9]\d{0,9})$/.exec(part);
  const drop = /^drop-translations=([1-9]\d{0,9})$/.exec(part);
  if (flush !== null) torture.flushTlbEvery = Number(flush[1]);
  else if (part === 'one-instruction-blocks') torture.oneInstructionBlocks = true;
  else if (part === 'interrupt-storm') torture.interruptStorm = 500;
  else if (storm !== null) torture.interruptStorm = Number(storm[1]);
  else if (save !== null) torture.saveEvery = Number(save[1]);
  else if (part === 'translate-at-once') torture.translateAtOnce = true;
  else if (part === 'one-instruction-regions') torture.oneInstructionRegions = true;
  else if (after !== null) torture.translateAfter = Number(after[1]);
  else if (drop !== null) torture.dropTranslationsEvery = Number(drop[1]);
  else {
    throw new LaunchError(
      `--torture knows no '${part}': choose from flush-tlb=N, one-instruction-blocks, interrupt-storm=N, save=N, translate-at-once, translate-after=N, one-instruction-regions, drop-translations=N.`,
    );
  }
}
