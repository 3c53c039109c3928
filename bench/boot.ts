import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readDebFiles } from '../src/formats/deb.js';
import { FLAVOURS, KERNEL_ARGUMENTS } from '../src/launcher/image/flavours.js';
import { obtainImage } from '../src/launcher/image/image-builder.js';
import { Progress } from '../src/launcher/image/progress.js';
import { cacheFolder, ImageStore } from '../src/launcher/image/store.js';
import { openByteSink } from '../src/platform/node-streams.js';

/**
 * `npm run bench:boot [-- rounds]`: seconds from the start of the process to the prompt of the default guest, and the
 * processor time and most memory it took until then: lguest, and qemu-system-i386 (TCG) if it is installed, in turns. Kernel file,
 * initramfs, kernel arguments, megabytes and console (ttyS0) are the same for both; lguest is also measured as it
 * starts by itself, from a kernel that it unpacked when it made the image.
 */

const MEGABYTES = '128';
const PROMPT = '~ # ';
const GIVE_UP_MS = 300_000;

interface Contestant {
  name: string;
  command: string;
  words: readonly string[];
  /** Where lguest writes its statistics. */
  stats?: string;
}

interface Measurement {
  seconds: number;
  processorSeconds: number;
  peakMegabytes: number;
  instructions: number | undefined;
}

/** Processor time and highest resident memory of a living process, from /proc. */
function usage(pid: number): Pick<Measurement, 'processorSeconds' | 'peakMegabytes'> {
  const ticks = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ');
  const peak = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  // USER_HZ is 100 on every architecture that Node runs on.
  return { processorSeconds: (Number(ticks[11]) + Number(ticks[12])) / 100, peakMegabytes: Number(peak?.[1]) / 1024 };
}

async function waitForPrompt(child: ChildProcess, name: string): Promise<void> {
  let seen = '';
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${name}: no prompt in time; it printed:\n${seen}`)), GIVE_UP_MS);
    child.stdout!.on('data', (bytes: Buffer) => {
      seen += bytes.toString('latin1');
      if (!seen.includes(PROMPT)) return;
      clearTimeout(timer);
      resolve();
    });
    child.on('exit', () => {
      clearTimeout(timer);
      reject(new Error(`${name} ended early; it printed:\n${seen}`));
    });
  });
}

async function boot({ name, command, words, stats }: Contestant): Promise<Measurement> {
  const start = performance.now();
  const child = spawn(command, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  try {
    await waitForPrompt(child, name);
    const seconds = (performance.now() - start) / 1000;
    const used = usage(child.pid!);
    if (stats === undefined) return { seconds, ...used, instructions: undefined };
    child.stdin!.write('poweroff -f\n');
    await exited;
    return { seconds, ...used, instructions: JSON.parse(readFileSync(stats, 'utf8')).instructions };
  } finally {
    child.kill('SIGKILL');
    await exited;
  }
}

const median = (numbers: number[]): number => numbers.sort((a, b) => a - b)[numbers.length >> 1]!;

const rounds = Number(process.argv[2] ?? 3);
const store = new ImageStore(cacheFolder());
const image = await obtainImage(store, { flavour: FLAVOURS[0]! }, new Progress(openByteSink(process.stderr, () => {})));
const folder = mkdtempSync(join(tmpdir(), 'lguest-bench-boot-'));
try {
  const kernel = join(folder, 'vmlinuz');
  const stats = join(folder, 'stats.json');
  for (const { path, data } of await readDebFiles(store.readPackage(image.packages[0]!.sha256)!)) {
    if (path.startsWith('boot/vmlinuz-')) writeFileSync(kernel, data);
  }
  const append = KERNEL_ARGUMENTS.join(' ');
  const lguest = (file: string): readonly string[] => [
    ...['bin/lguest', `--stats=${stats}`, `--initrd=${image.initramfs}`, `--append=${append}`, '--board=pc'],
    ...[MEGABYTES, file],
  ];
  const qemu = ['-M', 'pc', '-accel', 'tcg', '-m', MEGABYTES, '-nographic', '-no-reboot', '-net', 'none'];
  const contestants: Contestant[] = [
    { name: 'lguest, the packed kernel', command: process.execPath, words: lguest(kernel), stats },
    { name: 'lguest, unpacked beforehand', command: process.execPath, words: lguest(image.kernel), stats },
  ];
  if (spawnSync('qemu-system-i386', ['--version']).error === undefined) {
    const words = [...qemu, '-kernel', kernel, '-initrd', image.initramfs, '-append', append];
    contestants.push({ name: 'qemu-system-i386, TCG', command: 'qemu-system-i386', words });
  } else console.log('qemu-system-i386 is not installed: left out');
  const results = contestants.map((): Measurement[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, contestant] of contestants.entries()) results[index]!.push(await boot(contestant));
  }
  console.log(`${image.release}, ${MEGABYTES} MB, to the prompt; medians of ${rounds} rounds`);
  for (const [index, { name }] of contestants.entries()) {
    const measured = results[index]!;
    const seconds = median(measured.map((each) => each.seconds)).toFixed(2);
    const processor = median(measured.map((each) => each.processorSeconds)).toFixed(2);
    const megabytes = median(measured.map((each) => each.peakMegabytes)).toFixed(0);
    const { instructions } = measured[0]!;
    const counted = instructions === undefined ? '' : `, ${(instructions / 1e6).toFixed(0)} million instructions`;
    console.log(`${name.padEnd(28)} ${seconds} s, ${processor} s of processor time, ${megabytes} MB${counted}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
