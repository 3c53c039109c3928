/*L:410
 * Where images are kept
 *
 * Below the user's cache directory, each in a folder named by what it was made from:
 *
 *     lguest/images/1f0c…/     kernel, initramfs.cpio, image.json
 *     lguest/packages/9ab3….deb
 *     lguest/temporary/…       whatever is only half there
 *
 * An image is written to `temporary`, forced to disk, and renamed; so what has its name is complete, even if the
 * computer lost power a moment later. What an interrupted build has left is swept out by the next one. The packages
 * stay, so that a newer lguest can make a newer image of them without a network.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { BUILD_BYTES, errorCode, explainCacheError } from './image-error.js';

export interface StoredPackage {
  name: string;
  version: string;
  /** Hexadecimal. */
  sha256: string;
}

/** image.json. */
export interface ImageRecord {
  version: 1;
  /** Which default guest: `debian`, … */
  guest: string;
  /** As `uname -r` prints it. */
  release: string;
  /** Hash of everything of ours that went in: an image of another recipe is not today's. */
  recipe: string;
  packages: StoredPackage[];
  modules: number;
  /** Bytes of the two files, by which a damaged image is noticed. */
  kernelBytes: number;
  initramfsBytes: number;
  /** ISO 8601. */
  built: string;
}

export interface StoredImage extends ImageRecord {
  id: string;
  folder: string;
  kernel: string;
  initramfs: string;
}
/*:*/

const KERNEL = 'kernel';
const INITRAMFS = 'initramfs.cpio';
const RECORD = 'image.json';

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export class ImageStore {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** All complete images, the newest first. */
  list(): StoredImage[] {
    return this.readAll().filter(isComplete);
  }

  /** The packages of which images of `guest` were made, even of damaged ones; the newest first. */
  listPackages(guest: string): StoredPackage[][] {
    return this.readAll()
      .filter((image) => image.guest === guest)
      .map(({ packages }) => packages);
  }

  /** The newest image of `guest` made by today's recipe. */
  find(guest: string, recipe: string): StoredImage | undefined {
    return this.list().find((image) => image.guest === guest && image.recipe === recipe);
  }

  /** Keeps an image. Throws `ImageError`. */
  add(record: ImageRecord, kernel: Uint8Array, initramfs: Uint8Array): StoredImage {
    const id = sha256(JSON.stringify([record.guest, record.recipe, record.packages])).slice(0, 16);
    return this.writing(() => {
      const temporary = this.createTemporary();
      writeDurably(join(temporary, KERNEL), kernel);
      writeDurably(join(temporary, INITRAMFS), initramfs);
      writeDurably(join(temporary, RECORD), `${JSON.stringify(record, undefined, 2)}\n`);
      syncFolder(temporary);
      const images = join(this.folder, 'images');
      mkdirSync(images, { recursive: true });
      // One of the same name is older or damaged.
      rmSync(join(images, id), { recursive: true, force: true });
      try {
        renameSync(temporary, join(images, id));
      } catch (error) {
        // Somebody else built the same at the same time: theirs is as good.
        rmSync(temporary, { recursive: true, force: true });
        if (!['ENOTEMPTY', 'EEXIST'].includes(errorCode(error) ?? '')) throw error;
      }
      syncFolder(images);
      return this.read(id)!;
    });
  }

  /** Keeps a package. Throws `ImageError`. */
  addPackage(bytes: Uint8Array, hash: string): void {
    if (this.readPackage(hash) !== undefined) return;
    this.writing(() => {
      const temporary = join(this.createTemporary(), 'package');
      const packages = join(this.folder, 'packages');
      mkdirSync(packages, { recursive: true });
      writeDurably(temporary, bytes);
      renameSync(temporary, join(packages, `${hash}.deb`));
      syncFolder(packages);
    });
  }

  /** The bytes of a package, if it is here and undamaged. */
  readPackage(hash: string): Uint8Array | undefined {
    try {
      const bytes = readFileSync(join(this.folder, 'packages', `${hash}.deb`));
      return sha256(bytes) === hash ? bytes : undefined;
    } catch {
      return undefined;
    }
  }

  /**
   * Removes one image and the packages of which no other is made, or with `undefined` everything there is; returns
   * how many images went. Throws `ImageError`.
   */
  remove(id: string | undefined): number {
    return this.writing(() => {
      const images = namesIn(join(this.folder, 'images')).filter((name) => id === undefined || name === id);
      for (const name of images) rmSync(join(this.folder, 'images', name), { recursive: true, force: true });
      if (id === undefined) {
        for (const name of ['images', 'packages', 'temporary']) {
          rmSync(join(this.folder, name), { recursive: true, force: true });
        }
      }
      const needed = this.readAll().flatMap((image) => image.packages.map((entry) => `${entry.sha256}.deb`));
      for (const name of namesIn(join(this.folder, 'packages'))) {
        if (!needed.includes(name)) rmSync(join(this.folder, 'packages', name));
      }
      return images.length;
    });
  }

  /** A new folder for what is not complete yet; its name tells whose it is. Throws `ImageError`. */
  createTemporary(): string {
    return this.writing(() => {
      const folder = join(this.folder, 'temporary', `${process.pid}-${randomBytes(4).toString('hex')}`);
      mkdirSync(folder, { recursive: true });
      return folder;
    });
  }

  /** Throws `ImageError` unless there is room for everything a build writes. */
  checkRoom(): void {
    this.writing(() => {
      mkdirSync(this.folder, { recursive: true });
      const { bavail, bsize } = statfsSync(this.folder);
      if (bavail * bsize < BUILD_BYTES) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    });
  }

  /** Sweeps out what this process, and others that are no more, have left. */
  sweep(): void {
    const temporary = join(this.folder, 'temporary');
    for (const name of namesIn(temporary)) {
      const owner = Number.parseInt(name, 10);
      if (owner === process.pid || !isAlive(owner)) rmSync(join(temporary, name), { recursive: true, force: true });
    }
  }

  private readAll(): StoredImage[] {
    return namesIn(join(this.folder, 'images'))
      .flatMap((id) => this.read(id) ?? [])
      .sort((a, b) => (a.built < b.built ? 1 : -1));
  }

  /** What is written about an image; undefined if that cannot be read. */
  private read(id: string): StoredImage | undefined {
    const folder = join(this.folder, 'images', id);
    try {
      const record = JSON.parse(readFileSync(join(folder, RECORD), 'utf8')) as ImageRecord;
      if (record.version !== 1) return undefined;
      return { ...record, id, folder, kernel: join(folder, KERNEL), initramfs: join(folder, INITRAMFS) };
    } catch {
      return undefined;
    }
  }

  private writing<Result>(action: () => Result): Result {
    try {
      return action();
    } catch (error) {
      throw explainCacheError(error, this.folder);
    }
  }
}

/** Whether both files are there and have the size they had. */
function isComplete({ kernel, kernelBytes, initramfs, initramfsBytes }: StoredImage): boolean {
  const bytes = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.size;
  return bytes(kernel) === kernelBytes && bytes(initramfs) === initramfsBytes;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function writeDurably(path: string, data: Uint8Array | string): void {
  const fd = openSync(path, 'w');
  try {
    writeFileSync(fd, data);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** The names in a folder reach the disk, too. Some file systems refuse, and then there is nothing to be done. */
function syncFolder(path: string): void {
  try {
    const fd = openSync(path, 'r');
    fsyncSync(fd);
    closeSync(fd);
  } catch {}
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}
