/** Who takes part, and how each is started. All guests get the same kernel, files, arguments and memory. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ContestantCommand } from './contestant.js';

export const MEGABYTES = 128;

export interface GuestFiles {
  /** The unpacked kernel, from which our default guest starts, too. */
  vmlinux: string;
  /** As the package has it. */
  bzImage: string;
  initramfs: string;
  kernelArguments: readonly string[];
}

export interface Installed {
  /** What it is, for the table. */
  description: string;
  start(files: GuestFiles): ContestantCommand;
}

/** Why one cannot take part. */
export interface Missing {
  missing: string;
}

/** SeaBIOS keeps this much of v86's memory: a guest that is to have as much as the others is given it in addition. */
const V86_RESERVED_MEGABYTES = 16;

/** Where distributions put SeaBIOS. */
const BIOS_FOLDERS = ['/usr/share/seabios', '/usr/share/qemu', '/usr/share/qemu-kvm'];

export function findQemu(): Installed | Missing {
  const command = 'qemu-system-i386';
  const { error, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' });
  if (error !== undefined) return { missing: `${command} is not installed` };
  const version = /version (\S+)/.exec(stdout)?.[1] ?? '';
  return {
    description: `qemu-system-i386 ${version}, TCG, one thread`,
    start: ({ bzImage, initramfs, kernelArguments }) => ({
      name: 'qemu',
      command,
      words: [
        ...['-M', 'pc', '-accel', 'tcg,thread=single', '-m', String(MEGABYTES), '-display', 'none', '-no-reboot'],
        ...['-net', 'none', '-monitor', 'none', '-serial', 'stdio', '-kernel', bzImage, '-initrd', initramfs],
        ...['-append', kernelArguments.join(' ')],
      ],
      isNative: false,
    }),
  };
}

/** `folder`: where npm has installed it, or undefined for the current one. */
export function findV86(folder: string | undefined): Installed | Missing {
  const candidates = folder === undefined ? ['node_modules/v86'] : [join(folder, 'node_modules/v86'), folder];
  const found = candidates.map((path) => resolve(path)).find((path) => existsSync(join(path, 'build/v86.wasm')));
  if (found === undefined) return { missing: 'v86 is not installed (npm i --no-save v86, or --v86=FOLDER)' };
  const bios = BIOS_FOLDERS.find((path) => ['bios.bin', 'vgabios.bin'].every((name) => existsSync(join(path, name))));
  if (bios === undefined) return { missing: 'v86 needs SeaBIOS (the package seabios)' };
  const { version } = JSON.parse(readFileSync(join(found, 'package.json'), 'utf8')) as { version: string };
  const guest = fileURLToPath(new URL('v86-guest.js', import.meta.url));
  return {
    description: `v86 ${version} (npm)`,
    start: ({ bzImage, initramfs, kernelArguments }) => ({
      name: 'v86',
      command: process.execPath,
      words: [
        ...[guest, found, bios, bzImage, initramfs, String(MEGABYTES + V86_RESERVED_MEGABYTES)],
        kernelArguments.join(' '),
      ],
      isNative: false,
    }),
  };
}

/** `name`: `lguest`, or `lguest@FOLDER` for that of another clone. */
export function findLguest(name: string, options: readonly string[]): Installed | Missing {
  const folder = name === 'lguest' ? '.' : name.slice('lguest@'.length);
  const program = resolve(folder, 'bin/lguest');
  if (!existsSync(program)) return { missing: `${program} does not exist` };
  return {
    description: 'lguest',
    start: ({ vmlinux, initramfs, kernelArguments }) => ({
      name,
      command: process.execPath,
      words: [
        ...[program, ...options, '--board=pc', `--initrd=${initramfs}`, `--append=${kernelArguments.join(' ')}`],
        ...[String(MEGABYTES), vmlinux],
      ],
      isNative: false,
    }),
  };
}

/** Our boards, with one kernel that knows both. */
export const BOARDS = ['lguest-board', 'pc-board'] as const;

/**
 * The same kernel as a guest that knows it is one, and as one that believes in a PC: what the Host is told, and what
 * that is worth. `kernel`: one with lguest guest support.
 */
export function findBoard(
  name: (typeof BOARDS)[number],
  kernel: string | undefined,
  options: readonly string[],
): Installed | Missing {
  if (kernel === undefined) return { missing: 'it needs a kernel with lguest guest support (--lguest-kernel=FILE)' };
  if (!existsSync(kernel)) return { missing: `${kernel} does not exist` };
  const [board, console] = name === 'pc-board' ? ['pc', 'ttyS0'] : ['lguest', 'hvc0'];
  return {
    description: `lguest with ${basename(kernel)} given, --board=${board}`,
    start: ({ initramfs }) => ({
      name,
      command: process.execPath,
      words: [
        ...[resolve('bin/lguest'), ...options, `--board=${board}`, `--initrd=${initramfs}`],
        ...[`--append=console=${console} quiet norandmaps`, String(MEGABYTES), kernel],
      ],
      isNative: false,
    }),
  };
}

/** `root`: the folder with the files, the runner among them. */
export function nativeCommand(root: string): ContestantCommand {
  return { name: 'native', command: join(root, 'init'), words: [root], isNative: true };
}
