/** Files of Debian's packages, fetched with apt once and kept, unpacked as far as they are wanted. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CpioEntry, readCpio, S_IFLNK, S_IFREG, writeCpio } from '../src/formats/cpio.js';
import { readDebFiles } from '../src/formats/deb.js';
import { Apt, type AptPackage } from '../src/launcher/image/apt.js';
import type { Architecture } from './compile.js';
import { DEBIAN, type DebianName } from './suite.js';

/** Shared libraries, and the loader under the path that programs name. Conversions of character sets are not needed. */
const LIBRARY =
  /^(usr\/)?lib(64)?\/([^/]+-linux-gnu\/|ld-linux)[^/]*$|^(usr\/)?lib(64)?\/[^/]+-linux-gnu\/[^/]*\.so[^/]*$/;

export interface DebianFiles {
  /** Name and version of each package. */
  versions: Map<string, string>;
  files: CpioEntry[];
}

export class PackageFiles {
  private readonly folder: string;
  private readonly architecture: Architecture;
  private readonly say: (text: string) => void;
  private apt: Apt | undefined;

  /** `folder`: where they are kept. `say`: told what takes long. */
  constructor(folder: string, architecture: Architecture, say: (text: string) => void) {
    this.folder = join(folder, architecture);
    this.architecture = architecture;
    this.say = say;
  }

  /** The files of these programs. Rejects with `ImageError` when a package cannot be had. */
  async collect(names: readonly DebianName[]): Promise<DebianFiles> {
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
      const { version, sha256 } = JSON.parse(readFileSync(record, 'utf8')) as { version: string; sha256: string };
      const bytes = new Uint8Array(readFileSync(archive));
      if (hash(bytes) === sha256) return { version, entries: readCpio(bytes) };
    }
    mkdirSync(this.folder, { recursive: true });
    this.say(`fetching ${name} (${this.architecture})`);
    const { found, bytes } = await this.download(name);
    const entries = await this.unpack(bytes);
    const packed = writeCpio(entries);
    writeWhole(archive, packed);
    writeWhole(record, JSON.stringify({ version: found.version, sha256: hash(packed) }));
    return { version: found.version, entries };
  }

  private async download(name: string): Promise<{ found: AptPackage; bytes: Uint8Array }> {
    if (this.apt === undefined) {
      const apt = new Apt(join(this.folder, 'apt'), this.architecture);
      await apt.update(() => {});
      this.apt = apt;
    }
    const found = await this.apt.describe(name);
    const folder = join(this.folder, `download-${process.pid}`);
    mkdirSync(folder, { recursive: true });
    const bytes = await this.apt.download(found, folder, () => {});
    if (hash(bytes) !== found.sha256) throw new Error(`${name} did not arrive as Debian made it`);
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
