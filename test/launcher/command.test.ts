/** The command itself, as a user sees it: bin/lguest as a process of its own. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { SmallGuest } from '../vm/small-guest.js';

const folder = mkdtempSync(join(tmpdir(), 'lguest-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Puts a file into the test's folder; returns its path. */
function file(name: string, content: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

interface Result {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

interface Running {
  /** Resolves when the guest has printed `text`. */
  printed(text: string): Promise<void>;
  write(text: string): void;
  end(): void;
  kill(signal: NodeJS.Signals): void;
  result: Promise<Result>;
}

/** Starts the command; its standard input is a pipe that stays open, unless a descriptor is given. */
function start(args: readonly string[], stdin: number | 'pipe' | 'ignore' = 'pipe'): Running {
  const child = spawn(process.execPath, [join('bin', 'lguest'), ...args], { stdio: [stdin, 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  const waiting: { text: string; resolve(): void }[] = [];
  child.stdout!.setEncoding('latin1').on('data', (text: string) => {
    stdout += text;
    for (const wish of waiting) if (stdout.includes(wish.text)) wish.resolve();
  });
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // It may have ended before it has read everything.
  child.stdin?.on('error', () => {});
  return {
    printed: (text) =>
      new Promise((resolve) => {
        waiting.push({ text, resolve });
        if (stdout.includes(text)) resolve();
      }),
    write: (text) => void child.stdin?.write(text),
    end: () => void child.stdin?.end(),
    kill: (signal) => void child.kill(signal),
    result: new Promise((resolve) => {
      child.on('close', (status, signal) => resolve({ status, signal, stdout, stderr }));
    }),
  };
}

function lguest(...args: string[]): Promise<Result> {
  return start(args, 'ignore').result;
}

const hello = file('hello', new SmallGuest().init().print('hello\n').powerOff().elf());
const loop = file('loop', new SmallGuest().init().print('looping').loop().elf());
const asleep = file('asleep', new SmallGuest().init().timer().print('asleep').call(10).elf());

test('a clean power-off: the output on standard output, nothing else, status 0', async () => {
  assert.deepEqual(await lguest('4', hello), { status: 0, signal: null, stdout: 'hello\n', stderr: '' });
});

test('a panic: the original’s line, one that helps, status 1', async () => {
  const kernel = file('panic', new SmallGuest().init().label('do_panic').crash('Kernel panic - not syncing').elf());
  const { status, stderr } = await lguest('4', kernel);
  assert.equal(status, 1);
  const [first, second, ...rest] = stderr.split('\n');
  assert.equal(first, 'lguest: CRASH: Kernel panic - not syncing');
  assert.match(
    second!,
    /^ {8}at 0x1000[0-9a-f]{2} \(do_panic\+0x17\); the last hypercall was SHUTDOWN, made right before /,
  );
  assert.deepEqual(rest, ['']);
});

test('a guest that breaks a rule is killed; --symbols names the place', async () => {
  const guest = new SmallGuest().init();
  const address = guest.here;
  const kernel = file('trap', guest.code(0x0f, 0x0b).elf());
  const map = file('System.map', `00100000 T startup\n${address.toString(16).padStart(8, '0')} t oops\n`);
  const { status, stderr } = await lguest(`--symbols=${map}`, '4', kernel);
  assert.equal(status, 1);
  assert.equal(
    stderr,
    `lguest: unhandled trap 6 at 0x${address.toString(16)} (0)\n        at 0x${address.toString(16)} (oops); ` +
      `the last hypercall was LGUEST_INIT, made right before 0x${(address - 5).toString(16)} (startup+0x${(address - 5 - 0x100000).toString(16)})\n`,
  );
});

test('limits: status 124 and a sentence', async () => {
  const instructions = await lguest('--max-instructions=5000', '4', loop);
  assert.deepEqual([instructions.status, instructions.stdout], [124, 'looping']);
  assert.match(
    instructions.stderr,
    /^lguest: the limit of instructions is reached \(--max-instructions\): 5000 were run\.\n$/,
  );
  const seconds = await lguest('--max-seconds=0.2', '4', loop);
  assert.equal(seconds.status, 124);
  assert.match(seconds.stderr, /^lguest: the limit of time is reached \(--max-seconds\)\.\n$/);
  const sleeping = await lguest('--max-seconds=100', '4', asleep);
  assert.equal(sleeping.status, 124);
  assert.match(sleeping.stderr, /^lguest: the guest sleeps, and nothing can ever wake it\.\n$/);
});

test('signals end it with the status a shell gives them', async () => {
  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    const running = start(['4', loop]);
    await running.printed('looping');
    running.kill(signal);
    const result = await running.result;
    assert.deepEqual([result.status, result.stderr], [status, ''], signal);
  }
});

test('three lone Ctrl-C through a pipe end it with status 130', async () => {
  const running = start(['4', asleep]);
  await running.printed('asleep');
  let ended = false;
  void running.result.then(() => {
    ended = true;
  });
  // However the system cuts the stream, three in a row come alone sooner or later.
  while (!ended) {
    running.write('\x03');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.equal((await running.result).status, 130);
});

test('the end of standard input does not end the guest: pipe, file, nothing, closed', async () => {
  const kernel = file(
    'patient',
    new SmallGuest().init().timer().print('one ').sleep(300_000_000).print('two').powerOff().elf(),
  );
  const pipe = start(['4', kernel]);
  pipe.end();
  assert.deepEqual([(await pipe.result).status, (await pipe.result).stdout], [0, 'one two']);
  const descriptor = openSync(file('input', 'some input\n'), 'r');
  assert.equal((await start(['4', kernel], descriptor).result).stdout, 'one two');
  closeSync(descriptor);
  assert.equal((await lguest('4', kernel)).stdout, 'one two');
});

test('an idle guest uses no processor time', async () => {
  const stats = join(folder, 'idle.json');
  const kernel = file('nap', new SmallGuest().init().timer().sleep(1_000_000_000).powerOff().elf());
  await lguest(`--stats=${stats}`, '4', kernel);
  const { wallSeconds, runSeconds, instructions } = JSON.parse(readFileSync(stats, 'utf8'));
  // A busy computer makes both times longer, but most of the second is slept through.
  assert.ok(wallSeconds - runSeconds > 0.5, `ran for ${runSeconds} of ${wallSeconds} s`);
  assert.ok(instructions < 10_000, `${instructions} instructions`);
});

test('all output arrives, however slowly it is read', async () => {
  const guest = new SmallGuest().init();
  // 30,000 times the same sixteen bytes, more than a pipe holds, so that the end waits for its reader: EBP counts.
  guest.code(0xbd, 0x30, 0x75, 0, 0);
  const again = guest.here;
  guest.print('0123456789abcde\n').code(0x4d, 0x0f, 0x85);
  const distance = again - (guest.here + 4);
  guest.code(distance & 0xff, (distance >> 8) & 0xff, 0xff, 0xff).crash('done');
  const kernel = file('chatter', guest.elf());
  const child = spawn(process.execPath, [join('bin', 'lguest'), '4', kernel], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  // Let the pipe fill up before the first byte is read.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  let bytes = 0;
  for await (const chunk of child.stdout) bytes += chunk.length;
  assert.equal(bytes, 30_000 * 16);
  const status = child.exitCode ?? (await new Promise((resolve) => child.on('exit', resolve)));
  assert.equal(status, 1);
  assert.match(stderr, /^lguest: CRASH: done\n/);
});

test('a reader that goes away ends it quietly', async () => {
  const guest = new SmallGuest().init();
  const again = guest.here;
  guest.print('0123456789abcde\n');
  const distance = again - (guest.here + 5);
  const kernel = file('chatter2', guest.code(0xe9, distance & 0xff, (distance >> 8) & 0xff, 0xff, 0xff).elf());
  const child = spawn(process.execPath, [join('bin', 'lguest'), '4', kernel], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  child.stdout.once('data', () => child.stdout.destroy());
  assert.equal(await new Promise((resolve) => child.on('close', resolve)), 141);
  assert.equal(stderr, '');
});

test('a restart boots again, with the file as it is then', async () => {
  const second = new SmallGuest().init().print('second\n').powerOff().elf();
  const kernel = file('again', new SmallGuest().init().print('first\n').timer().sleep(600_000_000).restart().elf());
  const running = start(['4', kernel]);
  await running.printed('first\n');
  writeFileSync(kernel, second);
  const { status, stdout } = await running.result;
  assert.deepEqual([status, stdout], [0, 'first\nsecond\n']);
});

test('--stats prints a table, --stats=FILE writes JSON', async () => {
  const { stderr } = await lguest('--stats', '--clock=virtual', '4', hello);
  assert.match(stderr, /^lguest statistics {2}Linux 2\.6\.32\.9, generation C2, 4 MB\ninstructions \d+ /);
  assert.match(stderr, /^NOTIFY +1 +0$/m);
  assert.match(stderr, /^traps: none$/m);
  const path = join(folder, 'stats.json');
  const quiet = await lguest(`--stats=${path}`, '4', hello);
  assert.equal(quiet.stderr, '');
  const stats = JSON.parse(readFileSync(path, 'utf8'));
  assert.deepEqual(stats.hypercalls.LGUEST_INIT, { sync: 1, ring: 0 });
  assert.deepEqual([stats.generation, stats.pae, stats.ending.reason], ['C2', false, 'power-off']);
  for (const key of ['instructions', 'wallSeconds', 'cpuSeconds', 'runSeconds', 'instructionsPerSecond']) {
    assert.ok(stats[key] > 0, key);
  }
});

test('--profile names functions, --profile=FILE writes JSON', async () => {
  const kernel = file('busy', new SmallGuest().init().label('before').print('x').label('spin').loop().elf());
  const words = ['--clock=virtual', '--max-instructions=3M', '4', kernel];
  const { stderr } = await lguest('--profile', '--stats', ...words);
  assert.match(stderr, /^about .* in translated code, .* interpreting and serving, .* waiting for the translator$/m);
  assert.match(stderr, /^lguest profile {2}\d+ samples, [\d.]+ s$/m);
  assert.match(stderr, /^ *100\.0% +[\d.]+% {2}kernel {2}spin$/m);
  const path = join(folder, 'profile.json');
  await lguest(`--profile=${path}`, ...words);
  const { version, rows } = JSON.parse(readFileSync(path, 'utf8'));
  assert.equal(version, 1);
  assert.deepEqual([rows.length, rows[0].name, rows[0].ring, rows[0].samples], [1, 'spin', 'kernel', 60]);
});

test('--trace=translation tells of code that becomes hot', async () => {
  const kernel = file('hot', new SmallGuest().init().label('spin').loop().elf());
  const { stderr } = await lguest('--trace=translation', '--clock=virtual', '--max-instructions=3M', '4', kernel);
  assert.match(stderr, /^ +\d+ translation made 0x[0-9a-f]+ kernel, 1 instructions, \d+ bytes <spin>$/m);
  assert.match(stderr, /^ +\d+ translation module of 1 regions, /m);
});

test('--trace goes to standard error or to a file', async () => {
  const { stdout, stderr } = await lguest('--trace=hypercalls', '4', hello);
  assert.equal(stdout, 'hello\n');
  assert.match(
    stderr,
    /^ +\d+ hypercall LGUEST_INIT lguest_data=0x110000\n +\d+ hypercall NOTIFY 0x[0-9a-f]+ "hello\\n"\n/,
  );
  const path = join(folder, 'trace.txt');
  const quiet = await lguest('--trace=instructions', `--trace-file=${path}`, '4', hello);
  assert.equal(quiet.stderr, '');
  assert.match(readFileSync(path, 'utf8'), /^ +1 0x100000 \S.*\n +2 0x100005 /);
});

test('with the virtual clock two runs are the same, down to the trace', async () => {
  const kernel = file(
    'clocked',
    new SmallGuest().init().timer().sleep(3_000_000).print('x').sleep(5_000_000).powerOff().elf(),
  );
  const [first, second] = [join(folder, 'first.txt'), join(folder, 'second.txt')];
  for (const path of [first, second]) {
    const what = '--trace=hypercalls,interrupts,instructions';
    assert.equal((await lguest('--clock=virtual', what, `--trace-file=${path}`, '4', kernel)).status, 0);
  }
  assert.equal(readFileSync(first, 'utf8'), readFileSync(second, 'utf8'));
});

test('--verbose says what is loaded where', async () => {
  const initrd = file('initrd', new Uint8Array(5000));
  const { stderr } = await lguest('--verbose', `--initrd=${initrd}`, '4', hello, 'quiet');
  assert.equal(stderr, 'lguest  hello: 131072 of 131072 bytes at 0x100000\nlguest  initrd: 5000 bytes at 0x3fe000\n');
});

test('an option behind the kernel goes to the kernel, and we say so', async () => {
  const { status, stderr } = await lguest('4', hello, '--trace=traps');
  assert.equal(status, 0);
  assert.equal(
    stderr,
    'lguest: --trace=traps is behind the kernel and goes to it; options of lguest come before the memory size.\n',
  );
});

test('the override of the generation reaches the Host', async () => {
  const stats = join(folder, 'generation.json');
  await lguest('--generation=D1', '--pae=yes', `--stats=${stats}`, '4', hello);
  const { generation, pae } = JSON.parse(readFileSync(stats, 'utf8'));
  assert.deepEqual([generation, pae], ['D1', true]);
});

test('help and version', async () => {
  const help = await lguest('--help');
  assert.equal(help.status, 0);
  assert.match(help.stdout, /^lguest launches /);
  assert.match((await lguest('help', 'clock')).stdout, /^--clock=real\|virtual {2}/);
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  assert.equal((await lguest('--version')).stdout, `lguest ${version}\n`);
});

/** A 64-bit and a foreign ELF header, and a bzImage header. */
function elfHeader(bits: 1 | 2, machine: number): Uint8Array {
  const header = new SmallGuest().init().elf();
  header[4] = bits;
  header[18] = machine;
  return header;
}
function bzImage(bytes: number, protocol = 0x020a): Uint8Array {
  const image = new Uint8Array(bytes);
  image[0x1f1] = 1;
  image[0x201] = 0x66;
  image.set([0x48, 0x64, 0x72, 0x53, protocol & 0xff, protocol >> 8], 0x202);
  new DataView(image.buffer).setUint32(0x214, 0x10_0000, true);
  // syssize, in units of 16 bytes: what follows the setup code.
  new DataView(image.buffer).setUint32(0x1f4, 0x100, true);
  // XLF_KERNEL_64 exists from protocol 2.12 on.
  if (protocol >= 0x020c) image[0x236] = 1;
  return image;
}

test('bad input: one sentence and status 1', async () => {
  const directory = join(folder, 'directory');
  mkdirSync(directory);
  const elf = new SmallGuest().init().elf();
  const stranger = new SmallGuest().init();
  const plain = stranger.elf();
  // A kernel that is no guest: the banner stays, the code of lguest_entry and the name go.
  plain.fill(0x90, 84, 84 + 64);
  plain.set(new TextEncoder().encode('nobody'), 84 + 0x11_1000 - 0x10_0000 + 40);
  const cases: [string[], RegExp][] = [
    [['4', join(folder, 'nowhere')], /nowhere does not exist/],
    [['4', directory], /directory is a directory/],
    [['4', file('empty', '')], /empty is empty/],
    [['4', file('short-elf', elf.subarray(0, 40))], /short-elf is truncated/],
    [['4', file('half-elf', elf.subarray(0, 4000))], /half-elf is truncated/],
    [['4', file('short-bz', bzImage(0x300))], /short-bz is truncated/],
    [['4', file('half-bz', bzImage(0x480))], /half-bz is truncated/],
    [['4', file('arm', elfHeader(1, 40))], /arm is for another processor \(ARM\)/],
    [['4', file('x86-64', elfHeader(2, 62))], /x86-64 is a 64-bit ELF file/],
    [['4', file('bz64', bzImage(0x1400, 0x020c))], /bz64 is a 64-bit kernel/],
    [['4', file('text', 'hello')], /text: This doesn't look like a bzImage to me/],
    [['--board=lguest', '4', file('stranger', plain)], /stranger has no lguest support .* pc board/],
    [[`--initrd=${file('big', new Uint8Array(5 << 20))}`, '4', hello], /big \(5 MB\) does not fit: the guest has 4 MB/],
    [[`--initrd=${join(folder, 'none')}`, '4', hello], /none does not exist/],
    [[hello, '4'], /the memory size is missing/],
    [['0', hello], /a guest cannot live without memory/],
    [['many', hello], /the memory size is missing/],
    [['1021', hello], /too much: .* at most 1020 MB, because/],
    [['4096', hello], /too much: the pc board takes at most 2047 MB/],
    [['1', hello], /does not fit/],
    [['4'], /the kernel is missing/],
    [['--frob', '4', hello], /unknown option --frob/],
    [['--inird=x', '4', hello], /did you mean --initrd\?/],
    [['--block=x', '4', hello], /the block device is not here yet/],
    [['--debug-exit=x', '4', hello], /--debug-exit=x is not a port/],
    [[`--stats=${directory}`, '4', hello], /directory is a directory: give --stats/],
    [[`--stats=${join(folder, 'no', 'where')}`, '4', hello], /where cannot be written: the folder does not exist/],
    [['--trace=traps', `--trace-file=${directory}`, '4', hello], /give --trace-file the name of a file/],
    [[`--symbols=${file('nothing', 'x')}`, '4', hello], /nothing has no symbols in it/],
  ];
  for (const [args, sentence] of cases) {
    const { status, stdout, stderr } = await lguest(...args);
    assert.match(stderr, /^lguest: [^\n]+[.?]\n$/, args.join(' '));
    assert.match(stderr, sentence);
    assert.deepEqual([status, stdout], [1, ''], args.join(' '));
  }
});

test('a file one may not read', async () => {
  const secret = file('secret', new SmallGuest().init().powerOff().elf());
  chmodSync(secret, 0);
  const { status, stderr } = await lguest('4', secret);
  // Root may read everything; for everybody else it is a sentence.
  if (process.getuid?.() === 0) assert.deepEqual([status, stderr], [0, '']);
  else assert.match(stderr, /^lguest: .*secret may not be read by you: [^\n]*\.\n$/);
});
