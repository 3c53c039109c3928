import assert from 'node:assert/strict';
import { test } from 'node:test';
import { editDistance, findMisplacedOption, parseCommandLine } from '../../src/launcher/parse.js';
import { LaunchError } from '../../src/vm/index.js';

const MEGABYTE = 1 << 20;

function parseLaunch(...argv: string[]) {
  const invocation = parseCommandLine(argv);
  assert.equal(invocation.form, 'launch');
  if (invocation.form !== 'launch') throw new Error('unreachable');
  return invocation;
}

/** The sentence that `argv` is refused with. */
function refusal(...argv: string[]): string {
  try {
    parseCommandLine(argv);
  } catch (error) {
    assert.ok(error instanceof LaunchError, String(error));
    return error.message;
  }
  throw new Error(`${argv.join(' ')} was accepted`);
}

test("the original's form: options, megabytes, kernel, kernel arguments", () => {
  const { settings, kernelArguments } = parseLaunch('--initrd=i.gz', '64', 'vmlinux', 'root=/dev/ram0', 'quiet');
  assert.equal(settings.memory, 64 * MEGABYTE);
  assert.equal(settings.kernel, 'vmlinux');
  assert.equal(settings.initrd, 'i.gz');
  assert.deepEqual(kernelArguments, ['root=/dev/ram0', 'quiet']);
});

test('options may stand between memory and kernel, but never behind the kernel', () => {
  const { settings, kernelArguments } = parseLaunch('64', '--stats', 'vmlinux', '--verbose', '-m', '--', '--initrd=x');
  assert.equal(settings.stats, true);
  assert.equal(settings.verbose, false);
  assert.equal(settings.initrd, undefined);
  assert.deepEqual(kernelArguments, ['--verbose', '-m', '--', '--initrd=x']);
});

test('a value follows = or a blank, and then is not taken for the memory size', () => {
  const { settings } = parseLaunch('--initrd', '32', '--max-seconds', '1.5', '64', 'vmlinux');
  assert.equal(settings.initrd, '32');
  assert.equal(settings.maxSeconds, 1.5);
  assert.equal(settings.memory, 64 * MEGABYTE);
  assert.equal(parseLaunch('--initrd=a=b', '1', 'k').settings.initrd, 'a=b');
});

test('the long form, and the one of qemu', () => {
  const long = parseLaunch('--memory=128M', '--kernel=k', '--append=a b', 'c');
  assert.equal(long.settings.memory, 128 * MEGABYTE);
  assert.equal(long.settings.append, 'a b');
  assert.deepEqual(long.kernelArguments, ['c']);
  const qemu = parseLaunch('-m', '32', '-kernel', 'k', '-initrd', 'i', '-append', 'quiet');
  assert.deepEqual([qemu.settings.memory, qemu.settings.initrd, qemu.settings.append], [32 * MEGABYTE, 'i', 'quiet']);
  assert.equal(parseLaunch('--kernel=k').settings.memory, undefined);
  assert.equal(parseLaunch('--kernel=k', '16').settings.memory, 16 * MEGABYTE);
  assert.deepEqual(parseLaunch('--kernel=k', 'root=/dev/ram0').kernelArguments, ['root=/dev/ram0']);
  assert.equal(parseLaunch('--memory=16', 'k').settings.kernel, 'k');
});

test('-- ends the options; a lone - is a word', () => {
  assert.equal(parseLaunch('--', '64', '--kernel-with-dashes').settings.kernel, '--kernel-with-dashes');
  assert.equal(parseLaunch('64', '-').settings.kernel, '-');
});

test('values with a meaning of their own', () => {
  const settings = (...options: string[]) => parseLaunch(...options, '64', 'k').settings;
  assert.equal(settings('--max-instructions=20M').maxInstructions, 20e6);
  assert.equal(settings('--max-instructions=1_000').maxInstructions, 1000);
  assert.deepEqual(settings('--trace=traps,hypercalls,traps', '--trace=interrupts').trace, [
    'traps',
    'hypercalls',
    'interrupts',
  ]);
  assert.equal(settings('--stats=s.json').stats, 's.json');
  assert.deepEqual([settings('--profile').profile, settings('--profile=p.json').profile], [true, 'p.json']);
  assert.equal(settings('--generation=c2').generation, 'C2');
  assert.deepEqual(
    [settings('--pae=yes').pae, settings('--pae=no').pae, settings('--pae=auto').pae],
    [true, false, 'auto'],
  );
  assert.deepEqual(settings('--torture=flush-tlb=7,one-instruction-blocks,interrupt-storm').torture, {
    flushTlbEvery: 7,
    oneInstructionBlocks: true,
    interruptStorm: 500,
  });
  assert.equal(settings('--seed=0').seed, 0);
  assert.equal(settings('--no-jit').kernel, 'k');
});

test('forms without a kernel', () => {
  assert.equal(parseCommandLine([]).form, 'default');
  assert.equal(parseCommandLine(['--stats', '--clock=virtual']).form, 'default');
  assert.equal(parseCommandLine(['--help']).form, 'help');
  assert.equal(parseCommandLine(['-h', '--nonsense']).form, 'help');
  assert.equal(parseCommandLine(['help']).form, 'help');
  assert.equal(parseCommandLine(['--version']).form, 'version');
  for (const name of ['initrd', '--initrd', '-initrd']) {
    const invocation = parseCommandLine(['help', name]);
    assert.equal(invocation.form === 'help-option' && invocation.row.name, 'initrd');
  }
});

test('the default guest takes options of a guest', () => {
  const invocation = parseCommandLine(['--memory=256', '--append=debug', '--guest=debian-pae', '--packages=p']);
  assert.equal(invocation.form, 'default');
  if (invocation.form !== 'default') return;
  const { memory, append, guest, packages } = invocation.settings;
  assert.deepEqual([memory, append, guest, packages], [256 * MEGABYTE, 'debug', 'debian-pae', 'p']);
});

test('lguest run: options, then the command, whatever it looks like', () => {
  const run = (...words: string[]) => {
    const invocation = parseCommandLine(['run', ...words]);
    return invocation.form === 'run' ? [invocation.settings.memory, invocation.command] : invocation.form;
  };
  assert.deepEqual(run('--', 'ls', '-l', '--help'), [undefined, ['ls', '-l', '--help']]);
  assert.deepEqual(run('--memory', '64', 'ls', '--', '-x'), [64 * MEGABYTE, ['ls', '--', '-x']]);
  assert.deepEqual(run('--', '--help'), [undefined, ['--help']]);
  assert.equal(run('--help'), 'help');
});

test('lguest image: what to do, with options before and behind', () => {
  const image = (...words: string[]) => {
    const invocation = parseCommandLine(['image', ...words]);
    return invocation.form === 'image' ? [invocation.action, invocation.id, invocation.settings.packages] : 'other';
  };
  assert.deepEqual(image('list'), ['list', undefined, undefined]);
  assert.deepEqual(image('build', '--packages=a'), ['build', undefined, 'a']);
  assert.deepEqual(image('--packages=a', 'build'), ['build', undefined, 'a']);
  assert.deepEqual(image('remove', 'abc'), ['remove', 'abc', undefined]);
});

test('what is refused, and with which sentence', () => {
  const refusals: [string[], RegExp][] = [
    [['64'], /^the kernel is missing: .* lguest 64 vmlinux\.$/],
    [['--initrd=x'], /^the kernel is missing/],
    [['vmlinux', '64'], /^the memory size is missing: 'vmlinux' .* lguest 64 vmlinux\.$/],
    [['0', 'k'], /^a guest cannot live without memory/],
    [['--memory=0', 'k'], /^a guest cannot live without memory/],
    [['12x', 'k'], /^'12x' is not a memory size/],
    [['1.5', 'k'], /^'1\.5' is not a memory size/],
    [['-5', 'k'], /^'-5' is not a memory size/],
    [['2048', 'k'], /^2048 MB of memory is too much: the pc board takes at most 2047 MB\.$/],
    [['99999999999999999999', 'k'], /too much/],
    [['2G', 'k'], /^2G of memory is too much/],
    [['--inird=x', '64', 'k'], /^unknown option --inird: did you mean --initrd\?$/],
    [['--max-instruction=5'], /did you mean --max-instructions\?$/],
    [['--maxseconds=5'], /did you mean --max-seconds\?$/],
    [['--sym=x'], /did you mean --symbols\?$/],
    [['--frobnicate'], /^unknown option --frobnicate: lguest --help lists all there are\.$/],
    [['-x'], /^unknown option -x/],
    [['help', 'trase'], /did you mean --trace\?$/],
    [['--memory'], /^--memory lacks its value: write --memory=MB\.$/],
    [['--initrd=', '64', 'k'], /^--initrd= lacks its value: write --initrd=FILE\.$/],
    [['--verbose=1'], /^--verbose takes no value: leave out =1\.$/],
    [
      ['--trace=hypercall'],
      /^--trace knows no 'hypercall': choose from hypercalls, traps, interrupts, instructions, translation\.$/,
    ],
    [['--board=amiga'], /^--board knows no 'amiga': choose from auto, lguest, pc\.$/],
    [['--generation=E2'], /^--generation knows no 'E2': choose from auto, C1, C2, D1, D2\.$/],
    [['--clock=slow'], /choose from real, virtual\.$/],
    [['--pae=maybe'], /choose from auto, yes, no\.$/],
    [['--max-instructions=0'], /is not a count/],
    [['--max-instructions=1e9'], /is not a count/],
    [['--max-instructions=99999T'], /is not a count/],
    [['--max-seconds=-1'], /is not a time/],
    [['--max-seconds=soon'], /is not a time/],
    [['--seed=4294967296'], /is not a seed/],
    [['--torture=flush-tlb=0'], /^--torture knows no 'flush-tlb=0'/],
    [['--block=disk', '64', 'k'], /^the block device is not here yet: /],
    [['--tunnet=192.168.19.1', '64', 'k'], /^the network device is not here yet: /],
    [['--net', '64', 'k'], /^the network device is not here yet: /],
    [['--share=.', '64', 'k'], /^shared folders are not here yet: /],
    [['doctor'], /^'lguest doctor' is not here yet/],
    [['run'], /^the command is missing: .* lguest run -- uname -a\.$/],
    [['run', '--'], /^the command is missing/],
    [['run', '--kernel=k', '--', 'ls'], /^lguest run is about the default guest: leave out --kernel\.$/],
    [['run', '--frobnicate', 'ls'], /^unknown option --frobnicate/],
    [['image'], /^lguest image lacks a word: write lguest image list, build or remove\.$/],
    [['image', 'burn'], /^lguest image knows no 'burn'/],
    [['image', 'list', 'x'], /^lguest image list takes no 'x': leave it out\.$/],
    [['image', 'remove', 'x', 'y'], /^lguest image remove takes no 'y'/],
    [['image', '--initrd=x', 'list'], /^lguest image is about the default guest: leave out --initrd\.$/],
    [['--guest=windows'], /^--guest knows no 'windows': choose from debian, debian-pae, conformance\.$/],
  ];
  for (const [argv, sentence] of refusals) assert.match(refusal(...argv), sentence);
});

test('every refusal is one sentence', () => {
  for (const argv of [['64'], ['x'], ['0'], ['9999', 'k'], ['--foo'], ['--block=x'], ['run'], ['image']]) {
    assert.match(refusal(...argv), /^[^\n]+[.?]$/);
  }
});

test('the distance between words counts swaps of neighbours as one change', () => {
  assert.equal(editDistance('initrd', 'initrd'), 0);
  assert.equal(editDistance('intird', 'initrd'), 1);
  assert.equal(editDistance('', 'abc'), 3);
  assert.equal(editDistance('kernal', 'kernel'), 1);
});

test('an option behind the kernel is noticed, though it is the kernel’s', () => {
  assert.equal(findMisplacedOption(['root=/dev/ram0', '--initrd=x']), '--initrd=x');
  assert.equal(findMisplacedOption(['quiet', '--unknown', '-v', '--', '--verbose']), undefined);
});
