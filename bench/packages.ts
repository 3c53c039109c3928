/** Files of Debian's packages, fetched with apt once and kept, unpacked as far as they are wanted. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CpioEntry, readCpio, S_IFLNK, S_IFREG, writeCpio } from '../src/formats/cpio.js';
import { readDebFiles } from '../src/formats/deb.js';
import { Apt, type AptPackage } from '../src/launcher/image/apt.js';
import { ImageError } from '../src/launcher/image/image-error.js';
import type { Architecture } from './compile.js';
import { DEBIAN, type DebianName } from './suite.js';

/** Shared libraries, and the loader under the path that programs name. Conversions of character sets are not needed. */
const LIBRARY = /^(usr\/)?lib(64)?\/([^/]+-linux-gnu\/)?[^/]*\.so[^/]*$/;

/** What is kept of a package; when a pattern changes, it is made anew. */
const PATTERNS = String([LIBRARY, ...DEBIAN.map(({ files }) => files)]);

interface KeptPackage {
  version: string;
  patterns: string;
  /** Of the archive. */
  sha256: string;
}

export interface DebianFiles {
  /** Name and version of each package. */
  versions: Map<string, string>;
  files: CpioEntry[];
}

export class PackageFiles {
  private readonly folder: string;
  private readonly architecture: Architecture;
  private readonly say: (text: string) => void;
  /** Where apt works; two benches may want packages at the same time. */
  private readonly temporary: string;
  private apt: Apt | undefined;

  /** `folder`: where they are kept. `say`: told what takes long. */
  constructor(folder: string, architecture: Architecture, say: (text: string) => void) {
    this.folder = join(folder, architecture);
    this.architecture = architecture;
    this.temporary = join(this.folder, `temporary-${process.pid}`);
    this.say = say;
  }

  /** The files of these programs. Rejects with `ImageError` when a package cannot be had. */
  async collect(names: readonly DebianName[]): Promise<DebianFiles> {
    try {
      return await this.collectAll(names);
    } finally {
      rmSync(this.temporary, { recursive: true, force: true });
      this.apt = undefined;
    }
  }

  private async collectAll(names: readonly DebianName[]): Promise<DebianFiles> {
    const versions = new Map<string, string>();
    const files = new Map<string, CpioEntry>();
    for (const { name, packages, files: wanted } of DEBIAN) {
      if (!names.includes(name)) continue;
      for (const packageName of packages) {
        const { version, entries } = await this.obtain(packageName);
        versions.set(packageName, version);
        for (const entry of entries) {
          if (wanted.test(entry.path) || LIBRARY.test(entry.path)) files.set(entry.path, entry);
        }
      }
    }
    return { versions, files: [...files.values()] };
  }

  /** What any program wants of one package, from what is kept if possible. */
  private async obtain(name: string): Promise<{ version: string; entries: CpioEntry[] }> {
    const record = join(this.folder, `${name}.json`);
    const archive = join(this.folder, `${name}.cpio`);
    if (existsSync(record)) {
      const { version, patterns, sha256 } = JSON.parse(readFileSync(record, 'utf8')) as KeptPackage;
      const bytes = new Uint8Array(readFileSync(archive));
      if (patterns === PATTERNS && hash(bytes) === sha256) return { version, entries: readCpio(bytes) };
    }
    mkdirSync(this.folder, { recursive: true });
    this.say(`fetching ${name} (${this.architecture})`);
    const { found, bytes } = await this.download(name);
    const entries = await this.unpack(bytes);
    const packed = writeCpio(entries);
    writeWhole(archive, packed);
    const kept: KeptPackage = { version: found.version, patterns: PATTERNS, sha256: hash(packed) };
    writeWhole(record, JSON.stringify(kept));
    return { version: found.version, entries };
  }

  private async download(name: string): Promise<{ found: AptPackage; bytes: Uint8Array }> {
    if (this.apt === undefined) {
      const apt = new Apt(join(this.temporary, 'apt'), this.architecture);
      await apt.update(() => {});
      this.apt = apt;
    }
    const found = await this.apt.describe(name);
    const folder = join(this.temporary, 'download');
    mkdirSync(folder, { recursive: true });
    const bytes = await this.apt.download(found, folder, () => {});
    if (hash(bytes) !== found.sha256) throw new ImageError(`${name} did not arrive as Debian made it: try again.`);
    return { found, bytes };
  }

  private async unpack(bytes: Uint8Array): Promise<CpioEntry[]> {
    const entries: CpioEntry[] = [];
    for (const { path, type, mode, target, data } of await readDebFiles(bytes)) {
      if (!LIBRARY.test(path) && !DEBIAN.some(({ files }) => files.test(path))) continue;
      if (type === 'file') entries.push({ path, mode: S_IFREG | mode, data });
      if (type === 'symlink') entries.push({ path, mode: S_IFLNK | 0o777, data: new TextEncoder().encode(target) });
    }
    return entries;
  }
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Another process never sees half of it. */
function writeWhole(path: string, data: Uint8Array | string): void {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, data);
  renameSync(temporary, path);
}
