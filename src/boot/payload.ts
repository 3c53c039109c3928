/*L:215
 * Unpacking in advance
 *
 * A bzImage is a packed kernel with a small program in front that unpacks it. That program is guest code, and what
 * takes a processor half a second takes a processor made of software much longer; so, where we can, we unpack the
 * kernel ourselves and start it where the small program would have. What comes out is an ELF file at the address it
 * was linked for, which is why the list of relocations behind it is of no interest.
 */
import type { BzImage } from '../formats/bzimage.js';
import { FormatError } from '../formats/format-error.js';
import { decodeGzip } from '../formats/gzip.js';
import { decodeXz } from '../formats/xz.js';

/** More than any 32-bit kernel unpacks to. */
const LIMIT_BYTES = 0x1000_0000;

/** The ELF file in a bzImage; undefined if nobody here can unpack it, and the guest has to. */
export async function unpackPayload(file: Uint8Array, image: BzImage): Promise<Uint8Array | undefined> {
  const { payloadOffset, payloadBytes } = image;
  if (payloadBytes < 16) return undefined;
  const packed = file.subarray(payloadOffset, payloadOffset + payloadBytes);
  // The build appends the unpacked size to every format.
  const size = new DataView(packed.buffer, packed.byteOffset, packed.length).getUint32(packed.length - 4, true);
  const expectedBytes = size <= LIMIT_BYTES ? size : 0;
  try {
    if (image.compression === 'xz') return decodeXz(packed, { expectedBytes, limitBytes: LIMIT_BYTES });
    if (image.compression === 'gzip') return await decodeGzip(packed.subarray(0, -4), LIMIT_BYTES);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
  return undefined;
}
