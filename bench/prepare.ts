/** Everything that must be there before the first round: kernel, programs, files, contestants. */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileTree } from '../guest/image/file-tree.js';
import { readDebFiles } from '../src/formats/deb.js';
import { FLAVOURS, KERNEL_ARGUMENTS } from '../src/launcher/image/flavours.js';
import { obtainImage } from '../src/launcher/image/image-builder.js';
import { Progress } from '../src/launcher/image/progress.js';
import { cacheFolder, ImageStore, type StoredImage } from '../src/launcher/image/store.js';
import { openByteSink } from '../src/platform/node-streams.js';
import { LaunchError } from '../src/vm/index.js';
import { type Architecture, CompileError, compilePrograms, findNativeArchitecture } from './compile.js';
import type { ContestantCommand } from './contestant.js';
import { findLguest, findQemu, findV86, type Installed, type Missing, nativeCommand } from './contestants.js';
import type { Options } from './options.js';
import { PackageFiles } from './packages.js';
import { type BenchProgram, COMPILED, type CompiledName, DEBIAN, type DebianName, type Source } from './suite.js';
import { buildTree, writeArchive, writeFolder } from './world.js';

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
  const { programs } = options;
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
  const files = new ProgramFiles(cache, programs, say);
  try {
    const initramfs = join(folder, 'initramfs.cpio');
    if (programs.length > 0) writeFileSync(initramfs, writeArchive(await files.tree('i386')));
    for (const peer of options.peers.filter((name) => name !== 'native' || programs.length > 0)) {
      if (peer === 'native') {
        const architecture = files.nativeArchitecture();
        if (architecture === undefined) {
          missing.push('native is left out: this computer runs neither i386 nor amd64 programs for Linux.');
          continue;
        }
        const root = writeFolder(await files.tree(architecture), fastFolder());
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
  } catch (error) {
    dispose();
    throw error;
  }
  const { release: kernelRelease } = image;
  const { packages } = files;
  return { programs, contestants, boots, descriptions, missing, packages, kernelRelease, dispose };
}

function find(peer: string, { lguestOptions, v86Folder }: Options): Installed | Missing {
  if (peer === 'qemu') return findQemu();
  return peer === 'v86' ? findV86(v86Folder) : findLguest(peer, lguestOptions);
}

/** The files that the chosen programs want and no others: a small guest starts sooner. */
class ProgramFiles {
  readonly packages = new Map<string, string>();
  private readonly cache: string;
  private readonly wanted: ReadonlySet<Source>;
  private readonly say: (text: string) => void;

  constructor(cache: string, programs: readonly BenchProgram[], say: (text: string) => void) {
    this.cache = cache;
    this.wanted = new Set<Source>(['runner', 'data', ...programs.flatMap(({ sources }) => sources)]);
    this.say = say;
  }

  /** Rejects with `LaunchError`. */
  async tree(architecture: Architecture): Promise<FileTree> {
    const compiled = this.compile(architecture);
    const chosen = COMPILED.map(({ name }) => name).filter((name) => this.wanted.has(name));
    const debian: DebianName[] = DEBIAN.map(({ name }) => name).filter((name) => this.wanted.has(name));
    const packages = new PackageFiles(join(this.cache, 'packages'), architecture, this.say);
    const { files, versions } = await packages.collect(debian);
    for (const [name, version] of versions) this.packages.set(name, version);
    return buildTree(new Map(chosen.map((name) => [name, compiled.get(name)!])), files);
  }

  nativeArchitecture(): Architecture | undefined {
    return findNativeArchitecture(this.compile('i386'));
  }

  private compile(architecture: Architecture): ReadonlyMap<CompiledName, Uint8Array> {
    try {
      return compilePrograms(join(this.cache, 'programs'), architecture);
    } catch (error) {
      if (!(error instanceof CompileError)) throw error;
      throw new LaunchError(`${error.message}: the programs of bench/c cannot be made; --group=boot needs none.`);
    }
  }
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
