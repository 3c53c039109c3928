/**
 * Traces that lguest support leaves in an uncompressed kernel (lguest-abi §1.3). The encodings are what the
 * usual assemblers choose, so a match proves support, and no match proves nothing by itself.
 */
import type { Generation } from './kernel-release.js';

/** Any byte. */
const ANY = -1;
const ADDRESS = [ANY, ANY, ANY, ANY] as const;
const LOAD_INIT = [0xb8, 0x01, 0, 0, 0] as const;
const INT_1F = [0xcd, 0x1f] as const;
const VMCALL = [0x0f, 0x01, 0xc1] as const;

/** The first instructions of `lguest_entry`: which registers, which hypercall instruction, what comes next. */
const ENTRIES: readonly { generations: readonly Generation[]; bytes: readonly number[] }[] = [
  { generations: ['B1', 'B2'], bytes: [...LOAD_INIT, 0xba, ...ADDRESS, ...INT_1F, 0x8b, 0x35] },
  { generations: ['B2'], bytes: [...LOAD_INIT, 0xba, ...ADDRESS, ...INT_1F, 0xbc] },
  { generations: ['C1', 'C2'], bytes: [...LOAD_INIT, 0xbb, ...ADDRESS, ...VMCALL, 0xbc] },
  { generations: ['D1'], bytes: [...LOAD_INIT, 0xbb, ...ADDRESS, ...INT_1F, 0xbc] },
  {
    generations: ['D2', 'E1', 'E2'],
    bytes: [...LOAD_INIT, 0xbb, ...ADDRESS, ...INT_1F, 0xb8, 4, 0, 0, 0, 0xbb, ...ADDRESS, ...INT_1F, 0xbc],
  },
];

/** 2.6.23 marks its entry with this text instead. */
const MARK_OF_A = 'GenuineLguest';
/** The name under which every guest since 2.6.24 registers its paravirtual operations. */
const NAME = 'lguest\0';

/** Generations whose entry code is in `code`; empty when none was recognised. */
export function findLguestEntry(code: Uint8Array): readonly Generation[] {
  for (let at = findBytes(code, LOAD_INIT); at >= 0; at = findBytes(code, LOAD_INIT, at + 1)) {
    for (const { generations, bytes } of ENTRIES) {
      if (bytes.every((byte, index) => byte === ANY || byte === code[at + index])) return generations;
    }
  }
  return findText(code, MARK_OF_A) >= 0 ? ['A'] : [];
}

/** Whether the kernel at least knows lguest's name. */
export function mentionsLguest(image: Uint8Array): boolean {
  return findText(image, NAME) >= 0;
}

/** What follows the first `Linux version ` that is followed by a digit; at most 256 characters, or undefined. */
export function findBanner(image: Uint8Array): string | undefined {
  const lead = 'Linux version ';
  for (let at = findText(image, lead); at >= 0; at = findText(image, lead, at + 1)) {
    let text = '';
    for (let i = at + lead.length; i < image.length && text.length < 256; i++) {
      const byte = image[i]!;
      if (byte < 0x20 || byte > 0x7e) break;
      text += String.fromCharCode(byte);
    }
    if (/^\d/.test(text)) return text;
  }
  return undefined;
}

/** Index of an ASCII text from `from` on, or −1. */
function findText(bytes: Uint8Array, text: string, from = 0): number {
  return findBytes(bytes, new TextEncoder().encode(text), from);
}

/** Index of bytes from `from` on, or −1. The engine's own search for the first of them is faster than any of ours. */
function findBytes(bytes: Uint8Array, wanted: ArrayLike<number>, from = 0): number {
  const first = wanted[0]!;
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    let matching = 1;
    while (matching < wanted.length && bytes[at + matching] === wanted[matching]) matching++;
    if (matching === wanted.length) return at;
  }
  return -1;
}
