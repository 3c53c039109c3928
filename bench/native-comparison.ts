import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EXIT, type Processor } from '../src/cpu/processor.js';
import { RAM_BASE } from '../src/memory/layout.js';
import { createMachine } from '../test/cpu/machine-code.js';
import { attachTranslator } from '../test/jit/attach.js';

/**
 * `npm run bench:native [-- program…]`: C programs compiled for the guest and translated, and the same compiled for
 * this computer (in 64 bits, which not every one can run 32-bit programs), by processor time. It needs gcc with -m32. Best of three; the first is for V8's compilers.
 */

const TEXT = 0x10_0000;
const STACK = 0x7f_fff0;
/** Where calls return to: int 0x80. */
const RETURN_TO = 0x8_0000;

const folder = mkdtempSync(join(tmpdir(), 'lguest-bench-'));
const file = (name: string): string => join(folder, name);
const source = (name: string): string => join(process.cwd(), 'bench/c', name);
const COMMON = [
  '-O2',
  '-fno-pic',
  '-fno-tree-vectorize',
  '-fno-stack-protector',
  '-fno-asynchronous-unwind-tables',
  '-fno-tree-loop-distribute-patterns',
  '-fcf-protection=none',
];
const GUEST = [...COMMON, '-m32', '-march=i686', '-mno-sse', '-ffreestanding'];
execFileSync('gcc', [...GUEST, '-c', source('programs.c'), '-o', file('programs.o')]);
execFileSync('gcc', [...COMMON, '-no-pie', source('native.c'), source('programs.c'), '-o', file('native')]);
execFileSync('ld', [
  '--no-warn-rwx-segments',
  '-m',
  'elf_i386',
  '-N',
  '-Ttext',
  `0x${TEXT.toString(16)}`,
  '-Tdata',
  '0x180000',
  '-Tbss',
  '0x200000',
  '-e',
  'run_fib',
  file('programs.o'),
  '-o',
  file('guest'),
]);
execFileSync('objcopy', ['-O', 'binary', file('guest'), file('guest.bin')]);
const symbols = new Map(
  execFileSync('nm', [file('guest')], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.split(' ') as [string, string, string])
    .map(([address, , name]) => [name, parseInt(address, 16)]),
);
const image = readFileSync(file('guest.bin'));
const native = execFileSync(file('native'), { encoding: 'utf8' }).trim().split('\n');
rmSync(folder, { recursive: true });

function call(cpu: Processor, address: number): number {
  const { state, memory } = cpu;
  memory.view.setUint32(RAM_BASE + STACK, RETURN_TO, true);
  state.registers[4] = STACK;
  state.eip = address;
  const start = process.cpuUsage();
  while (cpu.run(2_000_000) === EXIT.budget);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

const wanted = process.argv.slice(2);
let product = 1;
let count = 0;
for (const line of native) {
  const [name, milliseconds, result] = line.split(' ') as [string, string, string];
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const cpu = createMachine(image, { at: TEXT, memoryBytes: 1 << 23 });
  cpu.memory.writeBytes(RETURN_TO, Uint8Array.of(0xcd, 0x80));
  const translator = attachTranslator(cpu, { batch: 1, threshold: 100 });
  const times = [0, 1, 2].map(() => call(cpu, symbols.get(`run_${name}`)!));
  const best = Math.min(...times);
  const ratio = best / Number(milliseconds);
  product *= ratio;
  count++;
  const answer = String(cpu.state.registers[0]! >>> 0);
  const { translated, leaves } = translator.statistics();
  console.log(
    `${name.padEnd(12)} native ${Number(milliseconds).toFixed(1).padStart(7)} ms  first ${times[0]!.toFixed(0).padStart(6)}  best ${best.toFixed(1).padStart(7)}  ${ratio.toFixed(2).padStart(6)} times  ${answer === result ? '' : `WRONG ${answer} not ${result}`} ${translated} regions ${JSON.stringify(leaves)}`,
  );
}
console.log(`geometric mean ${(product ** (1 / count)).toFixed(2)} times`);
