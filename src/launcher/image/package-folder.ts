/**
 * Packages from a folder (`--packages=FOLDER`), for computers without apt or without a network. What apt would check
 * with a signature is checked with a file SHA256SUMS in the folder, as `sha256sum *.deb` prints it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readPackageFields } from '../../../guest/image/build.js';
import { FormatError } from '../../formats/format-error.js';
import type { GuestFlavour } from './flavours.js';
import { errorCode, ImageError } from './image-error.js';
import { sha256, type StoredPackage } from './store.js';

export interface PackageFile extends StoredPackage {
  /** For messages. */
  file: string;
  bytes: Uint8Array;
}

/** The kernel and the busybox in `folder`, the newest if there are several. Rejects with `ImageError`. */
export async function readPackageFolder(
  folder: string,
  flavour: GuestFlavour,
): Promise<{ kernel: PackageFile; busybox: PackageFile }> {
  const sums = readSums(folder);
  const found: PackageFile[] = [];
  for (const name of listFolder(folder).filter((candidate) => candidate.endsWith('.deb'))) {
    const file = join(folder, name);
    const bytes = readFileSync(file);
    const hash = sha256(bytes);
    const fields = await readFields(file, bytes);
    const kind = fields.get('Package') ?? '';
    if (!flavour.kernelPattern.test(kind) && kind !== flavour.busyboxPackage) continue;
    if (fields.get('Architecture') !== 'i386') {
      throw new ImageError(
        `${file} is for ${fields.get('Architecture')}: the guest is 32-bit, take the package for i386.`,
      );
    }
    const expected = sums.get(name);
    if (expected === undefined) {
      throw new ImageError(
        `${file} is not listed in ${folder}/SHA256SUMS: add its SHA-256 sum, as sha256sum prints it.`,
      );
    }
    if (expected !== hash) {
      throw new ImageError(`${file} does not have the sum that ${folder}/SHA256SUMS states: fetch it again.`);
    }
    found.push({ name: kind, version: fields.get('Version') ?? '', sha256: hash, file, bytes });
  }
  const newest = (matches: (candidate: PackageFile) => boolean): PackageFile | undefined =>
    found.filter(matches).sort((a, b) => compareNumerically(`${b.name} ${b.version}`, `${a.name} ${a.version}`))[0];
  const kernel = newest(({ name }) => flavour.kernelPattern.test(name));
  const busybox = newest(({ name }) => name === flavour.busyboxPackage);
  if (kernel !== undefined && busybox !== undefined) return { kernel, busybox };
  const missing = kernel === undefined ? flavour.kernelExample : flavour.busyboxPackage;
  throw new ImageError(`${folder} has no package ${missing} for i386 in it: put Debian 12's there.`);
}

async function readFields(file: string, bytes: Uint8Array): Promise<ReadonlyMap<string, string>> {
  try {
    return await readPackageFields(bytes);
  } catch (error) {
    if (error instanceof FormatError) throw new ImageError(`${file} ${error.message}: fetch it again.`);
    throw error;
  }
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    const why = errorCode(error) === 'ENOENT' ? 'does not exist' : 'cannot be read';
    throw new ImageError(`the folder ${folder} ${why}: give --packages the folder with the two .deb files.`);
  }
}

/** File name → SHA-256, from lines `sum  name`. */
function readSums(folder: string): Map<string, string> {
  listFolder(folder);
  let text: string;
  try {
    text = readFileSync(join(folder, 'SHA256SUMS'), 'utf8');
  } catch {
    throw new ImageError(
      `${folder} has no file SHA256SUMS, so nothing says that its packages are Debian's: ` +
        'write the sums that Debian states into it, one line each, as sha256sum prints them.',
    );
  }
  const lines = [...text.matchAll(/^([0-9a-fA-F]{64}) [ *](?:\.\/)?(.+?)\r?$/gm)];
  return new Map(lines.map(([, sum, name]) => [name!, sum!.toLowerCase()]));
}

/** `6.1.0-9` before `6.1.0-50`. */
function compareNumerically(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
