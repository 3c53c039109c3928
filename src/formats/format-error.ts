/**
 * A file is not what its reader expected. The message is the rest of a sentence that begins with the file's
 * name and has no full stop: `is truncated: 12 bytes of its ELF header are missing`.
 */
export class FormatError extends Error {
  override readonly name = 'FormatError';
}

/** The sentence fragment for a file that ends too early; `what` names the part, `missing` counts bytes (≥ 1). */
export function truncated(missing: number, what: string): FormatError {
  const bytes = missing === 1 ? '1 byte' : `${missing} bytes`;
  return new FormatError(`is truncated: ${bytes} of ${what} ${missing === 1 ? 'is' : 'are'} missing`);
}
