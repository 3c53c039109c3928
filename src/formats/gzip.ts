/**
 * gzip. Node and browsers bring the codec (Compression Streams, 2023); this is the glue that makes it a function on
 * bytes, with a limit and one sentence for damaged input.
 */
import { FormatError } from './format-error.js';

export function isGzip(file: Uint8Array): boolean {
  return file.length >= 2 && file[0] === 0x1f && file[1] === 0x8b;
}

/** The unpacked bytes. Rejects with `FormatError` if the file is damaged or unpacks to more than `limitBytes`. */
export async function decodeGzip(file: Uint8Array, limitBytes: number): Promise<Uint8Array> {
  if (!isGzip(file)) throw new FormatError('is not packed with gzip');
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const stream = new DecompressionStream('gzip');
  const writer = stream.writable.getWriter();
  // Whatever goes wrong shows at the reading end, too.
  writer.write(file).catch(() => {});
  writer.close().catch(() => {});
  const reader = stream.readable.getReader();
  for (;;) {
    const { done, value } = await reader.read().catch(() => {
      throw new FormatError('is damaged: gzip cannot unpack it');
    });
    if (done) break;
    bytes += value.length;
    if (bytes > limitBytes) {
      reader.cancel().catch(() => {});
      throw new FormatError(`unpacks to more than ${Math.floor(limitBytes / 0x10_0000)} MB, which is too much`);
    }
    chunks.push(value);
  }
  const unpacked = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    unpacked.set(chunk, at);
    at += chunk.length;
  }
  return unpacked;
}
