/** Everything that must be there before the first round: programs, files, kernel, contestants. */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CpioEntry } from '../src/formats/cpio.js';
import { readDebFiles } from '../src/formats/deb.js';
import { FLAVOURS, KERNEL_ARGUMENTS } from '../src/launcher/image/flavours.js';
import { obtainImage } from '../src/launcher/image/image-builder.js';
import { Progress } from '../src/launcher/image/progress.js';
import { cacheFolder, ImageStore, type StoredImage } from '../src/launcher/image/store.js';
import { openByteSink } from '../src/platform/node-streams.js';
import { LaunchError } from '../src/vm/index.js';
import { type Architecture, CompileError, compilePrograms, findNativeArchitecture } from './compile.js';
import type { ContestantCommand } from './contestant.js';
import {
  findLguest,
  findQemu,
  findV86,
  type GuestFiles,
  type Installed,
  type Missing,
  nativeCommand,
} from './contestants.js';
import type { Options } from './options.js';
import { PackageFiles } from './packages.js';
import { type BenchProgram, COMPILED, type CompiledName, DEBIAN, type DebianName, type Source } from './suite.js';
import { buildTree, writeArchive, writeFolder } from './world.js';

/** A guest that was stopped for a while must not take that for a fault of its own. */
const BENCH_ARGUMENTS = ['nowatchdog', 'rcupdate.rcu_cpu_stall_suppress=1', 'tsc=reliable'];

export interface Bench {
  programs: readonly BenchProgram[];
  contestants: readonly ContestantCommand[];
  /** What each of them is. */
  descriptions: ReadonlyMap<string, string>;
  /** Sentences about who does not take part. */
  missing: readonly string[];
  /** What native programs are made for, if there are any. */
  nativeArchitecture: Architecture | undefined;
  /** Debian's packages in the guests, with versions. */
  packages: ReadonlyMap<string, string>;
  kernelRelease: string;
  dispose(): void;
}

/** Rejects with `LaunchError`. */
export async function prepareBench(options: Options, say: (text: string) => void): Promise<Bench> {
  const { programs, peers } = options;
  const cache = join(cacheFolder(), 'bench');
  const store = new ImageStore(cacheFolder());
  const image = await obtainImage(
    store,
    { flavour: FLAVOURS[0]! },
    new Progress(openByteSink(process.stderr, () => {})),
  );
  const folder = mkdtempSync(join(tmpdir(), 'lguest-bench-'));
  const folders = [folder];
  const dispose = (): void => {
    for (const path of folders) rmSync(path, { recursive: true, force: true });
  };
  try {
    const compiled = compile(cache, 'i386');
    const { files, versions } = await new PackageFiles(join(cache, 'packages'), 'i386', say).collect(
      debianNames(programs),
    );
    const initramfs = join(folder, 'initramfs.cpio');
    writeFileSync(initramfs, writeArchive(buildTree(needed(compiled, programs), files)));
    const guest: GuestFiles = {
      vmlinux: image.kernel,
      bzImage: await findPackedKernel(cache, store, image),
      initramfs,
      kernelArguments: [...KERNEL_ARGUMENTS, ...BENCH_ARGUMENTS],
    };

    const contestants: ContestantCommand[] = [];
    const descriptions = new Map<string, string>();
    const missing: string[] = [];
    let nativeArchitecture: Architecture | undefined;
    for (const peer of peers) {
      if (peer === 'native') {
        nativeArchitecture = findNativeArchitecture(compiled);
        if (nativeArchitecture === undefined) {
          missing.push('native is left out: this computer runs neither i386 nor amd64 programs for Linux.');
          continue;
        }
        const tree = await nativeTree(nativeArchitecture, cache, programs, files, say);
        const root = writeFolder(tree, fastFolder());
        folders.push(root);
        contestants.push(nativeCommand(root));
        descriptions.set(
          peer,
          nativeArchitecture === 'i386' ? 'the same files' : 'amd64 builds of the same sources and versions',
        );
        continue;
      }
      const found: Installed | Missing = find(peer, options);
      if ('missing' in found) missing.push(`${peer} is left out: ${found.missing}.`);
      else {
        contestants.push(found.start(guest));
        descriptions.set(peer, found.description);
      }
    }
    return {
      programs,
      contestants,
      descriptions,
      missing,
      nativeArchitecture,
      packages: versions,
      kernelRelease: image.release,
      dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
}

function find(peer: string, { lguestOptions, v86Folder }: Options): Installed | Missing {
  if (peer === 'qemu') return findQemu();
  return peer === 'v86' ? findV86(v86Folder) : findLguest(peer, lguestOptions);
}

function compile(cache: string, architecture: Architecture): Map<CompiledName, Uint8Array> {
  try {
    return compilePrograms(join(cache, 'programs'), architecture);
  } catch (error) {
    if (error instanceof CompileError)
      throw new LaunchError(`${error.message}: the programs of bench/c cannot be made.`);
    throw error;
  }
}

async function nativeTree(
  architecture: Architecture,
  cache: string,
  programs: readonly BenchProgram[],
  guestFiles: readonly CpioEntry[],
  say: (text: string) => void,
): Promise<ReturnType<typeof buildTree>> {
  const compiled = needed(compile(cache, architecture), programs);
  if (architecture === 'i386') return buildTree(compiled, guestFiles);
  const { files } = await new PackageFiles(join(cache, 'packages'), architecture, say).collect(debianNames(programs));
  return buildTree(compiled, files);
}

/** Only what the programs want: a small guest starts sooner. */
function needed(
  compiled: ReadonlyMap<CompiledName, Uint8Array>,
  programs: readonly BenchProgram[],
): Map<string, Uint8Array> {
  const wanted = new Set<Source>(['runner', 'data', ...programs.flatMap(({ sources }) => sources)]);
  return new Map(COMPILED.filter(({ name }) => wanted.has(name)).map(({ name }) => [name, compiled.get(name)!]));
}

function debianNames(programs: readonly BenchProgram[]): DebianName[] {
  const wanted = new Set<Source>(programs.flatMap(({ sources }) => sources));
  return DEBIAN.map(({ name }) => name).filter((name) => wanted.has(name));
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
