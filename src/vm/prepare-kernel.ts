import { type BootFile, identifyElf, identifyKernel, type KernelImage } from '../boot/image.js';
import { unpackPayload } from '../boot/payload.js';
import { isElf, parseElf32 } from '../formats/elf.js';
import { FormatError } from '../formats/format-error.js';
import type { BoardName } from './machine.js';

/** A kernel file that has been looked at, and the board it goes on. */
export interface PreparedKernel {
  image: KernelImage;
  board: BoardName;
  /** The ELF file in a bzImage for the pc board, if it could be unpacked. */
  unpacked: Uint8Array | undefined;
}

/**
 * Finds out what kernel it is and, unless `board` says so, which board it wants: lguest's if it has support for that,
 * the pc board otherwise. Throws `BootError`.
 */
export async function prepareKernel(file: BootFile, board: BoardName | 'auto'): Promise<PreparedKernel> {
  const image = identifyKernel(file);
  if (board === 'lguest') return { image, board, unpacked: undefined };
  const { lguest, multiboot } = image.identity;
  if (image.format === 'elf') {
    // A kernel that is not Linux and says nothing else is taken for one of ours.
    const pc = board === 'pc' || multiboot || lguest === 'no';
    return { image, board: pc ? 'pc' : 'lguest', unpacked: undefined };
  }
  const unpacked = await unpackPayload(image.bytes, image.bzImage);
  // Packed and of a release that could be an lguest guest: what is inside knows.
  const hasLguest = lguest === 'unknown' && (unpacked === undefined ? undefined : findLguest(unpacked));
  if (board === 'auto' && lguest === 'unknown' && image.identity.release !== undefined && hasLguest !== false) {
    return { image, board: 'lguest', unpacked: undefined };
  }
  return { image, board: 'pc', unpacked };
}

/** Whether an unpacked kernel has lguest support; undefined when it cannot be told. */
function findLguest(bytes: Uint8Array): boolean | undefined {
  try {
    const lguest = isElf(bytes) ? identifyElf(bytes, parseElf32(bytes)).lguest : 'unknown';
    return lguest === 'unknown' ? undefined : lguest === 'yes';
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}
