/*L:210
 * What kind of kernel is this?
 *
 * Two kinds of file hold a kernel: `vmlinux`, an ELF executable, and the bzImage that distributions install,
 * which unpacks itself. Before anything is loaded we find out which one it is and whether it can be a guest at
 * all, because a wrong kernel dies within its first instructions and cannot say why.
 */
import { type BzImage, isBzImage, parseBzImage } from '../formats/bzimage.js';
import { type ElfImage, isElf, parseElf32 } from '../formats/elf.js';
import { FormatError } from '../formats/format-error.js';
import { BootError } from './boot-error.js';
import { type Generation, generationOf, type KernelRelease, parseRelease } from './kernel-release.js';
import { isMultiboot } from './multiboot.js';
import { findBanner, findLguestEntry, mentionsLguest } from './lguest-signature.js';

/** A file the user named, read whole. */
export interface BootFile {
  /** What messages call it: the last part of its path. */
  name: string;
  bytes: Uint8Array;
}

export type KernelImage = { name: string; bytes: Uint8Array; identity: KernelIdentity } & (
  | { format: 'elf'; elf: ElfImage }
  | { format: 'bzimage'; bzImage: BzImage }
);

export interface KernelIdentity {
  /** Release and everything behind it (`2.6.32.63 (user@host) …`), or empty. */
  versionText: string;
  release: KernelRelease | undefined;
  /** `unknown`: packed, or no Linux; only running it can tell. */
  lguest: 'yes' | 'no' | 'unknown';
  /** An ELF kernel that wants to be started by the Multiboot protocol. */
  multiboot: boolean;
  /** Candidates, for messages only: the Host detects what it really meets (lguest-abi §1.2). */
  generations: readonly Generation[];
}

/** Reads the headers and looks for signs of lguest. Throws `BootError` when it cannot be a 32-bit kernel. */
export function identifyKernel(file: BootFile): KernelImage {
  const { name, bytes } = file;
  if (bytes.length === 0) throw new BootError(`${name} is empty: give it a Linux kernel (vmlinux or bzImage).`);
  try {
    if (isElf(bytes)) {
      const elf = parseElf32(bytes);
      return { name, bytes, format: 'elf', elf, identity: identifyElf(bytes, elf) };
    }
    if (isBzImage(bytes)) {
      const bzImage = parseBzImage(bytes);
      if (bzImage.is64Bit)
        throw new FormatError('is a 64-bit kernel and needs a 64-bit processor; take a 32-bit (i386, 686) one');
      return { name, bytes, format: 'bzimage', bzImage, identity: identifyBzImage(bzImage) };
    }
  } catch (error) {
    if (error instanceof FormatError) throw new BootError(`${name} ${error.message}.`);
    throw error;
  }
  const gzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  throw new BootError(
    `${name}: This doesn't look like a bzImage to me, nor like an ELF file${gzip ? '; it is packed with gzip, unpack it first' : ''}.`,
  );
}

/** Throws unless the lguest board may try `image`. */
export function requireLguestSupport(image: KernelImage): void {
  const { release, lguest, generations } = image.identity;
  if (generations.length === 1 && generations[0] === 'A') {
    throw new BootError(
      `${image.name} is a guest of Linux 2.6.23, which starts unlike all later ones: take one of 2.6.24 to 4.13.`,
    );
  }
  if (lguest !== 'no') return;
  let reason = 'it was built without CONFIG_LGUEST_GUEST';
  if (release !== undefined && generationOf(release) === undefined) {
    reason = release.numbers[0] < 4 ? 'Linux got it in 2.6.23' : 'Linux dropped it in 4.14';
  }
  throw new BootError(
    `${image.name} has no lguest support (${reason}); it boots on the pc board: leave out --board=lguest.`,
  );
}

export function identifyElf(bytes: Uint8Array, elf: ElfImage): KernelIdentity {
  const banner = findBanner(bytes);
  const release = banner === undefined ? undefined : parseRelease(banner);
  const byRelease = release === undefined ? undefined : generationOf(release);
  const named = mentionsLguest(bytes);
  let found: readonly Generation[] = [];
  // The search takes long: a release that never had lguest support and does not know its name is spared it.
  if (named || release === undefined || byRelease !== undefined) {
    for (const { fileOffset, fileBytes } of elf.segments) {
      if (found.length === 0) found = findLguestEntry(bytes.subarray(fileOffset, fileOffset + fileBytes));
    }
  }
  let lguest: KernelIdentity['lguest'] = 'unknown';
  if (found.length > 0) lguest = 'yes';
  else if (release !== undefined) lguest = byRelease !== undefined && named ? 'yes' : 'no';
  const generations = byRelease !== undefined && lguest === 'yes' ? [byRelease] : found;
  return { versionText: banner ?? '', release, lguest, generations, multiboot: isMultiboot(bytes) };
}

/** A packed kernel shows only its release; that rules lguest out or leaves it open. */
function identifyBzImage(bzImage: BzImage): KernelIdentity {
  const release = parseRelease(bzImage.versionText);
  const generation = release === undefined ? undefined : generationOf(release);
  return {
    versionText: bzImage.versionText,
    release,
    lguest: release !== undefined && generation === undefined ? 'no' : 'unknown',
    generations: generation === undefined ? [] : [generation],
    multiboot: false,
  };
}
