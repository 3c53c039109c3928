/** Everything that must be there before the first round: kernel, programs, files, contestants. */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readDebFiles } from '../src/formats/deb.js';
import { FLAVOURS, KERNEL_ARGUMENTS } from '../src/launcher/image/flavours.js';
import { obtainImage } from '../src/launcher/image/image-builder.js';
import { Progress } from '../src/launcher/image/progress.js';
import { cacheFolder } from '../src/launcher/cache-folder.js';
import { ImageStore, type StoredImage } from '../src/launcher/image/store.js';
import { openByteSink } from '../src/platform/node-streams.js';
import type { ContestantCommand } from './contestant.js';
import {
  BOARDS,
  findBoard,
  findLguest,
  findQemu,
  findV86,
  type Installed,
  type Missing,
  nativeCommand,
} from './contestants.js';
import type { Options } from './options.js';
import { ProgramFiles } from './program-files.js';
import type { BenchProgram } from './suite.js';
import { writeArchive, writeFolder } from './world.js';

/** A guest that was stopped for a while must not take that for a fault of its own. */
const BENCH_ARGUMENTS = ['nowatchdog', 'rcupdate.rcu_cpu_stall_suppress=1', 'tsc=reliable'];

export interface Bench {
  programs: readonly BenchProgram[];
  contestants: readonly ContestantCommand[];
  /** Those that boot the default guest, and how. */
  boots: readonly ContestantCommand[];
  /** What each contestant is, in the order of the columns. */
  descriptions: ReadonlyMap<string, string>;
  /** Sentences about who does not take part. */
  missing: readonly string[];
  /** Debian's packages in the guests, with versions. */
  packages: ReadonlyMap<string, string>;
  kernelRelease: string;
  dispose(): void;
}

/** Rejects with `LaunchError`. */
export async function prepareBench(options: Options, say: (text: string) => void): Promise<Bench> {
  const cache = join(cacheFolder(), 'bench');
  const store = new ImageStore(cacheFolder());
  const progress = new Progress(openByteSink(process.stderr, () => {}));
  const image = await obtainImage(store, { flavour: FLAVOURS[0]! }, progress);
  const kernel = { vmlinux: image.kernel, bzImage: await findPackedKernel(cache, store, image) };
  const folder = mkdtempSync(join(tmpdir(), 'lguest-bench-'));
  const folders = [folder];
  const dispose = (): void => {
    for (const path of folders) rmSync(path, { recursive: true, force: true });
  };
  const contestants: ContestantCommand[] = [];
  const boots: ContestantCommand[] = [];
  const descriptions = new Map<string, string>();
  const missing: string[] = [];
  const files = new ProgramFiles(cache, say);
  try {
    const programs = await files.choose(options.programs, missing);
    const initramfs = join(folder, 'initramfs.cpio');
    if (programs.length > 0) writeFileSync(initramfs, writeArchive(await files.tree('i386', programs)));
    for (const peer of options.peers.filter((name) => name !== 'native' || programs.length > 0)) {
      if (peer === 'native') {
        const architecture = files.nativeArchitecture();
        if (architecture === undefined) {
          missing.push('native is left out: this computer runs neither i386 nor amd64 programs for Linux.');
          continue;
        }
        const root = writeFolder(await files.tree(architecture, programs), fastFolder());
        folders.push(root);
        contestants.push(nativeCommand(root));
        const same = architecture === 'i386';
        descriptions.set(peer, same ? 'the same files' : `${architecture} builds of the same sources and versions`);
        continue;
      }
      const found = find(peer, options);
      if ('missing' in found) {
        missing.push(`${peer} is left out: ${found.missing}.`);
        continue;
      }
      descriptions.set(peer, found.description);
      if (programs.length > 0) {
        const kernelArguments = [...KERNEL_ARGUMENTS, ...BENCH_ARGUMENTS];
        contestants.push(found.start({ ...kernel, initramfs, kernelArguments }));
      }
      if (options.boot) {
        boots.push(found.start({ ...kernel, initramfs: image.initramfs, kernelArguments: KERNEL_ARGUMENTS }));
      }
    }
    const { release: kernelRelease } = image;
    const { packages } = files;
    return { programs, contestants, boots, descriptions, missing, packages, kernelRelease, dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

function find(peer: string, { lguestOptions, lguestKernel, v86Folder }: Options): Installed | Missing {
  const board = BOARDS.find((name) => name === peer);
  if (board !== undefined) return findBoard(board, lguestKernel, lguestOptions);
  if (peer === 'qemu') return findQemu();
  return peer === 'v86' ? findV86(v86Folder) : findLguest(peer, lguestOptions);
}

/** The kernel as other machines want it, out of the package that our image was made of. */
async function findPackedKernel(cache: string, store: ImageStore, image: StoredImage): Promise<string> {
  const { sha256 } = image.packages[0]!;
  const kept = join(cache, `vmlinuz-${sha256.slice(0, 16)}`);
  if (existsSync(kept)) return kept;
  mkdirSync(cache, { recursive: true });
  for (const { path, data } of await readDebFiles(store.readPackage(sha256)!)) {
    if (!path.startsWith('boot/vmlinuz-')) continue;
    writeFileSync(`${kept}.${process.pid}`, data);
    renameSync(`${kept}.${process.pid}`, kept);
  }
  return kept;
}

/** Guests have their files in memory; so has the computer, where it can. */
function fastFolder(): string {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm');
    if (bavail * bsize > 400e6) return '/dev/shm';
  } catch {}
  return tmpdir();
}
