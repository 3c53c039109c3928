/**
 * What `npm run bench` runs: the groups with their targets, and the programs. To add one
 * is to add a row here, and what it runs to bench/c or bench/scripts.
 *
 * A program is fixed work that prints a checksum, the same on every machine, in so many rounds that a computer of today
 * needs some fifty to five hundred milliseconds for it.
 */

/** Where files of a program come from: compiled from bench/c, or Debian's packages. */
export type Source = CompiledName | DebianName;

/** Statically linked programs of our own; each is one file of bench/c. */
export interface CompiledProgram {
  name: string;
  file: string;
  flags: readonly string[];
}

const X87 = ['-mfpmath=387'];
const SSE2 = ['-msse2', '-mfpmath=sse'];
export const COMPILED = [
  { name: 'runner', file: 'runner.c', flags: [] },
  { name: 'data', file: 'data.c', flags: [] },
  { name: 'integer', file: 'integer.c', flags: [] },
  { name: 'memory', file: 'memory.c', flags: [] },
  { name: 'x87', file: 'floating.c', flags: X87 },
  { name: 'sse2', file: 'floating.c', flags: SSE2 },
  { name: 'system', file: 'system.c', flags: [] },
  { name: 'generated', file: 'generated.c', flags: [] },
] as const satisfies readonly CompiledProgram[];
export type CompiledName = (typeof COMPILED)[number]['name'];

/** Programs of Debian: the packages that have their files, and which of those are wanted. */
export interface DebianProgram {
  name: string;
  packages: readonly string[];
  /** Paths of files, besides shared libraries. */
  files: RegExp;
}

const LIBC = 'libc6';
export const DEBIAN = [
  { name: 'busybox', packages: ['busybox-static'], files: /^bin\/busybox$/ },
  { name: 'coreutils', packages: ['coreutils', LIBC], files: /^bin\/true$/ },
  {
    name: 'lua',
    packages: ['lua5.4', 'libreadline8', 'libtinfo6', LIBC],
    files: /^usr\/bin\/lua5\.4$/,
  },
  {
    name: 'python',
    packages: ['python3.11-minimal', 'libpython3.11-minimal', 'libexpat1', 'zlib1g', LIBC],
    files: /^usr\/(bin\/python3\.11|lib\/python3\.11\/.*)$/,
  },
  {
    name: 'sqlite',
    packages: ['sqlite3', 'libsqlite3-0', 'libreadline8', 'libtinfo6', 'zlib1g', LIBC],
    files: /^usr\/bin\/sqlite3$/,
  },
  { name: 'openssl', packages: ['openssl', 'libssl3', LIBC], files: /^(usr\/bin\/openssl|etc\/ssl\/openssl\.cnf)$/ },
] as const satisfies readonly DebianProgram[];
export type DebianName = (typeof DEBIAN)[number]['name'];

/** Input that bench/c/data.c makes before the first round: words for it, and the file. */
export const DATA = {
  text: ['text', '/work/text', '8192'],
  short: ['text', '/work/short', '2048'],
  binary: ['binary', '/work/binary', '12288'],
  tree: ['tree', '/work/tree', '2000'],
} as const;
export type DataName = keyof typeof DATA;

/** The group without programs: from the start of the process to the prompt (boot.ts). */
export const BOOT = 'boot';

export interface Group {
  name: string;
  title: string;
  /** The geometric mean of our times over native ones is to be no more. */
  target?: number;
}

// biome-ignore format: table
export const GROUPS = [
  { name: 'integer', title: 'Integer and calls', target: 3 },
  { name: 'memory', title: 'Memory', target: 2.5 },
  { name: 'x87', title: 'x87', target: 20 },
  { name: 'sse2', title: 'SSE2', target: 8 },
  { name: 'system', title: 'System', target: 6 },
  { name: 'generated', title: 'Code made at run time' },
  { name: 'busybox', title: 'busybox', target: 6 },
  { name: 'languages', title: 'lua, python3, sqlite3', target: 12 },
  { name: 'openssl', title: 'openssl', target: 20 },
  { name: 'start', title: 'Start of small programs' },
  { name: BOOT, title: 'Boot of the default guest' },
] as const satisfies readonly Group[];
export type GroupName = (typeof GROUPS)[number]['name'];

export interface BenchProgram {
  group: GroupName;
  name: string;
  /** The program's path and its arguments, in the guest. */
  words: readonly string[];
  sources: readonly Source[];
  data: readonly DataName[];
}

/** Rows of one of our own programs: each argument list is one program, named by its first word. */
function compiled(group: GroupName, program: CompiledName, ...lists: string[]): BenchProgram[] {
  return lists.map((list) => {
    const [name, ...rest] = list.split(' ');
    return { group, name: name!, words: [`/bin/${program}`, name!, ...rest], sources: [program], data: [] };
  });
}

interface Extra {
  data?: readonly DataName[];
  sources?: readonly Source[];
}

/** A command of busybox's shell. */
function shell(group: GroupName, name: string, command: string, { data = [], sources = [] }: Extra): BenchProgram {
  const words = ['/bin/busybox', 'sh', '-c', command];
  return { group, name, words, sources: ['busybox', ...sources], data };
}

function starts(count: number, source: DebianName, name: string, ...words: string[]): BenchProgram {
  const all = ['/bin/system', 'exec', String(count), ...words];
  return { group: 'start', name, words: all, sources: ['system', source], data: [] };
}

function script(name: string, source: DebianName, ...words: string[]): BenchProgram {
  return { group: 'languages', name, words, sources: [source], data: [] };
}

const TEXT: Extra = { data: ['text'] };
const BINARY: Extra = { data: ['binary'] };
const LUA = ['lua', '/usr/bin/lua5.4'] as const;
const PYTHON = ['python', '/usr/bin/python3.11', '-S', '-E'] as const;
/** 2⁵²¹ − 1, hexadecimal: a prime. */
const MERSENNE_521 = `1${'f'.repeat(130)}`;
const OPENSSL: Extra = { data: ['binary'], sources: ['openssl'] };

// biome-ignore format: table
export const PROGRAMS: readonly BenchProgram[] = [
  ...compiled('integer', 'integer', 'sieve', 'crc32', 'sha256', 'fib', 'qsort', 'indirect', 'leaf', 'tree', 'list', 'interpreter', 'matrix',
    'strings', 'division', 'large', 'hash'),
  ...compiled('memory', 'memory', 'memcpy', 'memcpy-large', 'memset', 'rep-movs', 'copy-bytes', 'copy-words', 'sum', 'stride',
    'random'),
  ...compiled('x87', 'x87', 'nbody', 'mandelbrot', 'dgemm', 'libm', 'spectral', 'single', 'instructions'),
  ...compiled('sse2', 'sse2', 'nbody', 'mandelbrot', 'dgemm', 'spectral', 'single', 'integer-vectors',
    'double-vectors'),
  ...compiled('system', 'system', 'syscalls', 'pipes', 'stream', 'forks', 'exec 100 /bin/system nothing', 'faults', 'copies',
    'mappings', 'files', 'reads', 'signals', 'protection'),
  ...compiled('generated', 'generated', 'make', 'patch', 'compile', 'beside'),

  shell('busybox', 'sha256sum', 'busybox sha256sum /work/binary', BINARY),
  shell('busybox', 'md5sum', 'busybox md5sum /work/binary /work/binary', BINARY),
  shell('busybox', 'gzip', 'busybox gzip -c /work/short | busybox wc -c', { data: ['short'] }),
  shell('busybox', 'gunzip', 'busybox gzip -c /work/short > packed; for i in 1 2 3; do busybox gunzip -c < packed; done | busybox tail -c 1000000 | busybox md5sum', { data: ['short'] }),
  shell('busybox', 'wc', 'busybox wc /work/text', TEXT),
  shell('busybox', 'grep', 'busybox grep -c "[ab]o.*ke[0-9 ]*7$" /work/text', TEXT),
  shell('busybox', 'sort', 'busybox sort /work/short | busybox md5sum', { data: ['short'] }),
  shell('busybox', 'awk', 'busybox awk \'{ n += NF; s += $NF; c[$1]++ } END { for (k in c) m++; print n, s, m }\' /work/short', { data: ['short'] }),
  shell('busybox', 'sed', 'busybox sed "s/a\\([b-k]\\)/<\\1>/g" /work/short | busybox md5sum', { data: ['short'] }),
  shell('busybox', 'sh-loop', 'i=0 s=0; while [ $i -lt 80000 ]; do case $i in *7) s=$((s + i)) ;; esac; i=$((i + 1)); done; echo $s', {}),
  shell('busybox', 'find', 'for i in 1 2 3 4 5; do busybox find /work/tree -name "*1.dat" -type f; done | busybox wc -l', { data: ['tree'] }),

  script('lua-calls', ...LUA, '/scripts/calls.lua'),
  script('lua-tables', ...LUA, '/scripts/tables.lua'),
  script('lua-strings', ...LUA, '/scripts/strings.lua'),
  script('python-calls', ...PYTHON, '/scripts/calls.py'),
  script('python-objects', ...PYTHON, '/scripts/objects.py'),
  script('python-strings', ...PYTHON, '/scripts/strings.py'),
  script('sqlite-insert', 'sqlite', '/usr/bin/sqlite3', ':memory:', '.read /scripts/insert.sql'),
  script('sqlite-query', 'sqlite', '/usr/bin/sqlite3', ':memory:', '.read /scripts/query.sql'),

  shell('openssl', 'sha256', 'openssl dgst -sha256 /work/binary /work/binary /work/binary', OPENSSL),
  shell('openssl', 'aes-128-cbc', 'for i in 1 2; do openssl enc -aes-128-cbc -K 000102030405060708090a0b0c0d0e0f -iv 0f0e0d0c0b0a09080706050403020100 -in /work/binary -out /work/encrypted; done; busybox tail -c 4096 /work/encrypted | busybox md5sum', OPENSSL),
  shell('openssl', 'chacha20', 'for i in 1 2; do openssl enc -chacha20 -K 000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f -iv 0f0e0d0c0b0a09080706050403020100 -in /work/binary -out /work/encrypted; done; busybox tail -c 4096 /work/encrypted | busybox md5sum', OPENSSL),
  shell('openssl', 'prime', `for n in 1 2 3 4 5; do openssl prime -hex ${MERSENNE_521}; done | busybox md5sum`, { sources: ['openssl'] }),

  starts(100, 'busybox', 'busybox-true', '/bin/busybox', 'true'),
  starts(60, 'coreutils', 'true', '/bin/true'),
  starts(60, 'busybox', 'sh', '/bin/busybox', 'sh', '-c', ':'),
  starts(40, 'lua', 'lua', '/usr/bin/lua5.4', '-e', 'x = 1'),
  starts(6, 'python', 'python', '/usr/bin/python3.11', '-S', '-E', '-c', 'pass'),
  starts(20, 'openssl', 'openssl', '/usr/bin/openssl', 'list', '-commands'),
];
