/** The files that programs want and no others: a small guest starts sooner. */
import { join } from 'node:path';
import type { FileTree } from '../guest/image/file-tree.js';
import { ImageError } from '../src/launcher/image/image-error.js';
import { type Architecture, CompileError, compilePrograms, findNativeArchitecture } from './compile.js';
import { PackageFiles } from './packages.js';
import { type BenchProgram, COMPILED, type CompiledName, DEBIAN, type DebianName, type Source } from './suite.js';
import { buildTree } from './world.js';

export class ProgramFiles {
  /** Debian's packages that were taken, with versions. */
  readonly packages = new Map<string, string>();
  private readonly cache: string;
  private readonly say: (text: string) => void;

  /** `cache`: where everything is kept. */
  constructor(cache: string, say: (text: string) => void) {
    this.cache = cache;
    this.say = say;
  }

  /** Those of the programs whose files can be had; a sentence about the others goes to `missing`. */
  async choose(programs: readonly BenchProgram[], missing: string[]): Promise<BenchProgram[]> {
    if (programs.length === 0) return [];
    try {
      this.compile('i386');
    } catch (error) {
      if (!(error instanceof CompileError)) throw error;
      missing.push(`All programs are left out: ${error.message}.`);
      return [];
    }
    try {
      await this.tree('i386', programs);
      if (this.nativeArchitecture() === 'amd64') await this.tree('amd64', programs);
      return [...programs];
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      missing.push('Programs of Debian are left out: apt is not here, or cannot get their packages.');
      return programs.filter(({ sources }) => sources.every((source) => !DEBIAN.some(({ name }) => name === source)));
    }
  }

  /** Rejects with `ImageError` when packages cannot be had, with `CompileError` when ours cannot be made. */
  async tree(architecture: Architecture, programs: readonly BenchProgram[]): Promise<FileTree> {
    const wanted = new Set<Source>(['runner', 'data', ...programs.flatMap(({ sources }) => sources)]);
    const compiled = this.compile(architecture);
    const chosen = COMPILED.map(({ name }) => name).filter((name) => wanted.has(name));
    const debian: DebianName[] = DEBIAN.map(({ name }) => name).filter((name) => wanted.has(name));
    const packages = new PackageFiles(join(this.cache, 'packages'), architecture, this.say);
    const { files, versions } = await packages.collect(debian);
    for (const [name, version] of versions) this.packages.set(name, version);
    return buildTree(new Map(chosen.map((name) => [name, compiled.get(name)!])), files);
  }

  nativeArchitecture(): Architecture | undefined {
    return findNativeArchitecture(this.compile('i386'));
  }

  private compile(architecture: Architecture): ReadonlyMap<CompiledName, Uint8Array> {
    return compilePrograms(join(this.cache, 'programs'), architecture);
  }
}
