/*G:800
 * The default guest
 *
 * To launch a Linux one needs a Linux. Nobody should have to build one first, so we take what Debian has built: the
 * kernel package for 32-bit PCs and a busybox that needs no libraries, both as they come, a few files of our own on
 * top. What comes out is a kernel and its first file system; nothing of the packages is installed or run on this
 * computer.
 */
import { isBzImage, parseBzImage } from '../../src/formats/bzimage.js';
import { type ControlFields, readDebControl, readDebFiles } from '../../src/formats/deb.js';
import { isElf } from '../../src/formats/elf.js';
import { FormatError } from '../../src/formats/format-error.js';
import { decodeXz } from '../../src/formats/xz.js';
import { buildInitramfs } from './initramfs.js';
import { type ModuleFile, selectModules, USEFUL_MODULES } from './modules.js';

/** A file of ours that goes into the guest. */
export interface OwnFile {
  path: string;
  mode: number;
  data: Uint8Array;
}

export interface GuestImage {
  /** As `uname -r` prints it: `6.1.0-50-686`. */
  release: string;
  /** The ELF file that was packed in the bzImage; the bzImage itself, if it is packed in a way we do not know. */
  kernel: Uint8Array;
  initramfs: Uint8Array;
  moduleCount: number;
}

/** Builds the image from the bytes of the two packages. Rejects with `PackageError`. */
export async function buildGuestImage(
  kernelPackage: Uint8Array,
  busyboxPackage: Uint8Array,
  ownFiles: readonly OwnFile[],
): Promise<GuestImage> {
  const { release, kernel, modules, builtin } = await about('kernel', () => readKernelPackage(kernelPackage));
  const selected = await about('kernel', async () => selectModules(modules, USEFUL_MODULES));
  const busybox = await about('busybox', () => readBusybox(busyboxPackage));
  const initramfs = buildInitramfs({ busybox, ownFiles, release, modules: selected, builtin });
  return {
    release,
    kernel: await about('kernel', async () => unpackKernel(kernel)),
    initramfs,
    moduleCount: selected.length,
  };
}
/*:*/

/** One of the two packages is not what it should be; the message goes on after its file's name. */
export class PackageError extends Error {
  readonly which: 'kernel' | 'busybox';
  constructor(which: 'kernel' | 'busybox', message: string) {
    super(message);
    this.which = which;
  }
}

async function about<Result>(which: 'kernel' | 'busybox', action: () => Promise<Result>): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof FormatError) throw new PackageError(which, error.message);
    throw error;
  }
}

/**
 * Unpacked once here, it need not be unpacked at every start. What is behind a packed kernel, relocations and its size,
 * is of no use without its unpacker.
 */
function unpackKernel(file: Uint8Array): Uint8Array {
  if (!isBzImage(file)) return file;
  const { compression, payloadOffset, payloadBytes } = parseBzImage(file);
  if (compression !== 'xz') return file;
  const unpacked = decodeXz(file.subarray(payloadOffset, payloadOffset + payloadBytes), { limitBytes: 0x1000_0000 });
  return isElf(unpacked) ? unpacked : file;
}

interface KernelPackage {
  release: string;
  kernel: Uint8Array;
  modules: ModuleFile[];
  builtin: Uint8Array | undefined;
}

async function readKernelPackage(bytes: Uint8Array): Promise<KernelPackage> {
  let kernel: { path: string; data: Uint8Array } | undefined;
  const modules: (ModuleFile & { release: string })[] = [];
  let builtin: Uint8Array | undefined;
  for (const { path, type, data } of await readDebFiles(bytes)) {
    if (type !== 'file') continue;
    if (path.startsWith('boot/vmlinuz-')) kernel = { path, data };
    // Since trixie packages keep to the merged /usr.
    const match = /^(?:usr\/)?lib\/modules\/([^/]+)\/(.*)$/.exec(path);
    if (match === null) continue;
    const [, release, name] = match as unknown as [string, string, string];
    if (name.endsWith('.ko')) modules.push({ release, path: name, data });
    else if (name === 'modules.builtin') builtin = data;
  }
  if (kernel === undefined) throw new FormatError('has no kernel in it: linux-image-…-686 is the kind that has');
  const release = kernel.path.slice('boot/vmlinuz-'.length);
  return { release, kernel: kernel.data, modules: modules.filter((module) => module.release === release), builtin };
}

async function readBusybox(bytes: Uint8Array): Promise<Uint8Array> {
  for (const { path, type, data } of await readDebFiles(bytes)) {
    if (type === 'file' && /^(?:usr\/)?bin\/busybox$/.test(path)) return data;
  }
  throw new FormatError('has no busybox in it: busybox-static is the package that has');
}

/** Reads what a package is; the message of a `FormatError` goes on after its file's name. */
export function readPackageFields(bytes: Uint8Array): Promise<ControlFields> {
  return readDebControl(bytes);
}
