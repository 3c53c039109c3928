/** Vectors where SSE arithmetic has edges. */

import type { Dice } from '../x87-oracle/questions.js';

const FLOATS32 = [
  ...[0, 0x8000_0000, 1, 0x8000_0001, 0x7f_ffff, 0x40_0000, 0x80_0000, 0x80_0001, 0x8080_0000, 0x00ff_ffff],
  ...[0x3f80_0000, 0xbf80_0000, 0x3f00_0000, 0x3fc0_0000, 0x4020_0000, 0x3f7f_ffff, 0x3f80_0001],
  ...[0x7f7f_ffff, 0xff7f_ffff, 0x7f80_0000, 0xff80_0000, 0x7fc0_0000, 0xffc0_0001, 0x7f80_0001, 0xffbf_ffff],
  ...[0x4f00_0000, 0xcf00_0000, 0x4eff_ffff, 0x4b80_0000, 0x4b00_0001, 0x5f00_0000, 0x1f80_0000, 0x2000_0000],
];
const FLOATS64 = [
  ...[0n, 1n << 63n, 1n, (1n << 63n) | 5n, (1n << 52n) - 1n, 1n << 51n, 1n << 52n, (1n << 52n) | 1n],
  ...[0x3ff0_0000_0000_0000n, 0xbff0_0000_0000_0000n, 0x3fe0_0000_0000_0000n, 0x3ff8_0000_0000_0000n],
  ...[0x3fef_ffff_ffff_ffffn, 0x3ff0_0000_0000_0001n, 0x4004_0000_0000_0000n, 0x4330_0000_0000_0001n],
  ...[0x7fef_ffff_ffff_ffffn, 0xffef_ffff_ffff_ffffn, 0x7ff0_0000_0000_0000n, 0xfff0_0000_0000_0000n],
  ...[0x7ff8_0000_0000_0000n, 0xfff8_0000_0000_0001n, 0x7ff0_0000_0000_0001n, 0xfff7_ffff_ffff_ffffn],
  // About 2^31, and where float32 ends on both sides
  ...[0x41df_ffff_ffc0_0000n, 0x41df_ffff_ffe0_0000n, 0x41e0_0000_0000_0000n, 0xc1e0_0000_0000_0000n],
  ...[0xc1e0_0000_0010_0000n, 0xc1e0_0000_0020_0000n, 0x47ef_ffff_e000_0000n, 0x47ef_ffff_f000_0000n],
  ...[
    0x3810_0000_0000_0000n,
    0x380f_ffff_ffff_ffffn,
    0x380f_ffff_e000_0000n,
    0x36a0_0000_0000_0000n,
    0x3690_0000_0000_0000n,
  ],
  ...[0x1ff0_0000_0000_0000n, 0x2000_0000_0000_0000n, 0x5fe0_0000_0000_0000n],
];

function pickFloat32(dice: Dice): number {
  switch (dice.below(6)) {
    case 0:
    case 1:
      return dice.pick(FLOATS32);
    case 2:
      // of about the same size as others
      return (dice.word() & 0x80ff_ffff) | ((0x3c + dice.below(8)) << 24);
    case 3:
      // few bits
      return (dice.word() & 0xffff_0000) >>> 0;
    case 4: {
      const exponent = dice.pick([0, 1, 2, 23, 24, 63, 64, 127, 150, 157, 158, 190, 191, 253, 254, 255]);
      return ((dice.word() & 0x807f_ffff) | (exponent << 23)) >>> 0;
    }
    default:
      return dice.word();
  }
}

function pickFloat64(dice: Dice): bigint {
  const random = dice.long();
  const sign = random & (1n << 63n);
  switch (dice.below(7)) {
    case 0:
    case 1:
      return dice.pick(FLOATS64);
    case 2:
      return sign | (random & ((1n << 52n) - 1n)) | (BigInt(0x3ff - 8 + dice.below(40)) << 52n);
    case 3:
      return random & ~((1n << 40n) - 1n);
    case 4: {
      const exponent = dice.pick([
        0, 1, 2, 52, 53, 511, 512, 874, 896, 897, 1023, 1054, 1150, 1151, 1534, 2045, 2046, 2047,
      ]);
      return sign | (random & ((1n << 52n) - 1n)) | (BigInt(exponent) << 52n);
    }
    case 5:
      // near the range of float32's denormals
      return sign | (random & ((1n << 52n) - 1n)) | (BigInt(0x3ff - 150 + dice.below(30)) << 52n);
    default:
      return random;
  }
}

const BYTES = [0, 1, 0x7f, 0x80, 0x81, 0xfe, 0xff];

/** Numbers as programs have them: integers, halves, tenths. */
function pickPlain(dice: Dice): number {
  return (dice.below(4000) - 2000) / dice.pick([1, 1, 2, 4, 10, 1000]);
}

/** Sixteen bytes: of float32 or float64 where the mnemonic ends so, else numbers of any width. */
export function pickVector(dice: Dice, name: string): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  const kind =
    dice.below(8) === 0 ? dice.below(4) : /[ps]s$/.test(name) ? 0 : /[ps]d$/.test(name) ? 1 : 2 + dice.below(2);
  const mixed = /^cvt/.test(name) && dice.below(2) === 0 ? dice.below(3) : kind;
  const plain = mixed < 2 && dice.below(3) === 0;
  if (plain) {
    for (let at = 0; at < 16; at += 4 << mixed)
      if (mixed === 0) view.setFloat32(at, pickPlain(dice), true);
      else view.setFloat64(at, pickPlain(dice), true);
    return bytes;
  }
  switch (mixed) {
    case 0:
      for (let at = 0; at < 16; at += 4) view.setUint32(at, pickFloat32(dice), true);
      break;
    case 1:
      for (let at = 0; at < 16; at += 8) view.setBigUint64(at, pickFloat64(dice), true);
      break;
    case 2:
      for (let at = 0; at < 16; at++) bytes[at] = dice.below(2) === 0 ? dice.pick(BYTES) : dice.below(256);
      break;
    default:
      // A shift count, or a small number.
      view.setBigUint64(0, BigInt(dice.below(dice.below(8) === 0 ? 0x1_0000 : 70)), true);
      for (let at = 8; at < 16; at += 4) view.setUint32(at, dice.word(), true);
  }
  return bytes;
}
