/**
 * The one way a boot can fail before the guest runs. The message is a whole sentence for people: what, which
 * file, and what to do (experience.md); the Launcher puts `lguest: ` before it and exits with 1.
 */
export class BootError extends Error {
  override readonly name = 'BootError';
}

const MEGABYTE = 0x10_0000;

/** `412 MB`, `35 KB`, `12 bytes`: rounded up, because it is always said of something that does not fit. */
export function describeSize(bytes: number): string {
  if (bytes >= MEGABYTE) return `${Math.ceil(bytes / MEGABYTE)} MB`;
  if (bytes >= 1024) return `${Math.ceil(bytes / 1024)} KB`;
  return bytes === 1 ? '1 byte' : `${bytes} bytes`;
}

/**
 * A memory size, in megabytes, in which a kernel that ends at `kernelEnd` can unpack an initrd of `initrdBytes`
 * and still work: half as much again as the initrd, in steps of 64.
 */
export function suggestMegabytes(kernelEnd: number, initrdBytes: number): number {
  return Math.ceil((kernelEnd + 1.5 * initrdBytes) / MEGABYTE / 64) * 64;
}
