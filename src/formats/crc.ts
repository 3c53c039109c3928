/** CRC-32 (IEEE 802.3) and CRC-64 (ECMA-182), both reflected, as gzip and xz use them. */

/** Reflected polynomials. */
const CRC32 = 0xedb8_8320;
const CRC64_LOW = 0xd787_0f42;
const CRC64_HIGH = 0xc96c_5795;

/** CRC-32 of `bytes`, unsigned. */
export function crc32(bytes: Uint8Array): number {
  const table = new Int32Array(256);
  for (let n = 0; n < 256; n++) {
    let value = n;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ CRC32 : value >>> 1;
    table[n] = value;
  }
  let crc = -1;
  for (let i = 0; i < bytes.length; i++) crc = table[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** CRC-64 of `bytes` as two unsigned halves: there is no 64-bit integer in JavaScript that is fast. */
export function crc64(bytes: Uint8Array): { low: number; high: number } {
  const lows = new Int32Array(256);
  const highs = new Int32Array(256);
  for (let n = 0; n < 256; n++) {
    let low = n;
    let high = 0;
    for (let bit = 0; bit < 8; bit++) {
      const odd = low & 1;
      low = (low >>> 1) | (high << 31);
      high >>>= 1;
      if (odd) {
        low ^= CRC64_LOW;
        high ^= CRC64_HIGH;
      }
    }
    lows[n] = low;
    highs[n] = high;
  }
  let low = -1;
  let high = -1;
  for (let i = 0; i < bytes.length; i++) {
    const n = (low ^ bytes[i]!) & 0xff;
    low = ((low >>> 8) | (high << 24)) ^ lows[n]!;
    high = (high >>> 8) ^ highs[n]!;
  }
  return { low: ~low >>> 0, high: ~high >>> 0 };
}
