/**
 * The x86 filter of xz ("BCJ", .xz file format 1.2, 5.3.2): before compression the relative targets of CALL (E8)
 * and JMP (E9) were made absolute, because equal targets compress well. This takes it back, in place.
 *
 * Only operands whose top byte is 00 or FF are targets. Opcode bytes in the four bytes before make an operand
 * ambiguous; which ones were converted all the same is part of the format, kept in `mask`: bit n+1 says that the
 * byte n+1 before was an opcode that was left alone, bit 4 that the last such operand ended in 00 or FF.
 */

/** By (mask >> 1) & 7: whether an operand behind such bytes was converted. */
const CONVERTED = [true, true, true, false, true, false, false, false] as const;
/** By mask >> 1: how many bytes lie between the nearest opcode before and this one's operand end. */
const OVERLAP = [0, 1, 2, 2, 3, 3, 3, 3] as const;

function looksLikeTarget(topByte: number): boolean {
  return topByte === 0 || topByte === 0xff;
}

/** Decodes a whole filtered block whose first byte has the position 0. */
export function decodeBcjX86(bytes: Uint8Array): void {
  let mask = 0;
  let last = -5;
  const end = bytes.length - 4;
  for (let at = 0; at < end; ) {
    if ((bytes[at]! & 0xfe) !== 0xe8) {
      at++;
      continue;
    }
    const distance = at - last;
    last = at;
    if (distance > 5) mask = 0;
    else for (let n = 0; n < distance; n++) mask = (mask & 0x77) << 1;
    const top = bytes[at + 4]!;
    if (!looksLikeTarget(top) || !CONVERTED[(mask >> 1) & 7] || mask >> 1 >= 0x10) {
      at++;
      mask |= looksLikeTarget(top) ? 0x11 : 1;
      continue;
    }
    let source = bytes[at + 1]! | (bytes[at + 2]! << 8) | (bytes[at + 3]! << 16) | (top << 24);
    let target = 0;
    for (;;) {
      target = (source - (at + 5)) | 0;
      if (mask === 0) break;
      const shift = OVERLAP[mask >> 1]! * 8;
      if (!looksLikeTarget((target >>> (24 - shift)) & 0xff)) break;
      source = target ^ (2 ** (32 - shift) - 1);
    }
    bytes[at + 1] = target;
    bytes[at + 2] = target >>> 8;
    bytes[at + 3] = target >>> 16;
    bytes[at + 4] = (target >>> 24) & 1 ? 0xff : 0;
    at += 5;
    mask = 0;
  }
}
