/**
 * Boots a kernel on the pc board and in qemu-system-i386 (TCG), in turns, until its init prints a marker.
 *
 *   node dist/bench/boot.js KERNEL INITRD MARKER [--rounds=N] [kernel arguments…]
 *
 * Prints for each the median of wall time and processor time, and the largest memory; for ours also the instructions.
 * The initrd's init must print MARKER on ttyS0 and then power off.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Boot {
  wallSeconds: number;
  cpuSeconds: number;
  memoryMegabytes: number;
}

/** Processor time and peak memory of a process that still runs, from /proc; undefined elsewhere. */
function usage(pid: number): { cpuSeconds: number; memoryMegabytes: number } {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ');
  const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100,
    memoryMegabytes: Number(peak?.[1] ?? 0) / 1024,
  };
}

function boot(command: string, args: readonly string[], marker: string): Promise<Boot> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    let seen: Boot | undefined;
    child.stdout.on('data', (data: Buffer) => {
      output += data.toString('latin1');
      if (seen !== undefined || !output.includes(marker)) return;
      seen = { wallSeconds: (performance.now() - start) / 1000, ...usage(child.pid!) };
    });
    child.on('error', reject);
    child.on('close', () => {
      if (seen === undefined) reject(new Error(`${command} ended without ${marker}:\n${output.slice(-2000)}`));
      else resolve(seen);
    });
  });
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

async function main(): Promise<void> {
  const words = process.argv.slice(2);
  const rounds = Number(words.find((word) => word.startsWith('--rounds='))?.slice(9) ?? 3);
  const [kernel, initrd, marker, ...append] = words.filter((word) => !word.startsWith('--rounds='));
  if (kernel === undefined || initrd === undefined || marker === undefined) {
    throw new Error('usage: node dist/bench/boot.js KERNEL INITRD MARKER [--rounds=N] [kernel arguments…]');
  }
  const folder = mkdtempSync(join(tmpdir(), 'boot-'));
  const stats = join(folder, 'stats.json');
  const commands: Record<string, [string, string[]]> = {
    lguest: [process.execPath, ['bin/lguest', `--stats=${stats}`, `--initrd=${initrd}`, '128', kernel, ...append]],
    qemu: [
      'qemu-system-i386',
      [
        ...['-M', 'pc', '-m', '128', '-nodefaults', '-no-user-config', '-display', 'none', '-serial', 'stdio'],
        ...['-no-reboot', '-kernel', kernel, '-initrd', initrd, '-append', append.join(' ')],
      ],
    ],
  };
  const boots: Record<string, Boot[]> = { lguest: [], qemu: [] };
  for (let round = 0; round < rounds; round++) {
    for (const [name, [command, args]] of Object.entries(commands))
      boots[name]!.push(await boot(command, args, marker));
  }
  for (const [name, list] of Object.entries(boots)) {
    const wall = median(list.map(({ wallSeconds }) => wallSeconds)).toFixed(2);
    const cpu = median(list.map(({ cpuSeconds }) => cpuSeconds)).toFixed(2);
    const memory = Math.max(...list.map(({ memoryMegabytes }) => memoryMegabytes)).toFixed(0);
    console.log(`${name.padEnd(8)} ${wall} s wall, ${cpu} s processor, ${memory} MB`);
  }
  console.log(`instructions ${JSON.parse(readFileSync(stats, 'utf8')).instructions}`);
  rmSync(folder, { recursive: true });
}

await main();
