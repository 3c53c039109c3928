/**
 * LZMA2: chunks of LZMA (or plain bytes) with a control byte before each (.xz file format 1.2, 5.3.1; the LZMA
 * specification of the LZMA SDK, which is in the public domain).
 *
 * The output is one array, so it is its own dictionary. The range decoder's bits are decoded in three loops with
 * everything in local variables (literals, bit trees, reversed bit trees), which is where all the time goes.
 */
import { FormatError } from './format-error.js';

/** Places of the probability models in one array. Each model is 11 bits, probability of a zero times 2048. */
const IS_MATCH = 0; // 12 states × 16 positions
const IS_REP = 192; // 12, and so on
const IS_REP0 = 204;
const IS_REP1 = 216;
const IS_REP2 = 228;
const IS_REP0_LONG = 240; // 12 × 16
const SLOTS = 432; // 4 length classes × 64
const DISTANCES = 688; // reversed trees of slots 4…13
const ALIGN = 816; // 16
const MATCH_LENGTH = 832; // see LENGTH
const REP_LENGTH = 1346;
const LITERALS = 1860; // 0x300 << (lc + lp)
/** Offsets in a length coder: two choices, 16 × 8 short, 16 × 8 middle, 256 long lengths. */
const LENGTH = { choice: 0, choice2: 1, low: 2, middle: 130, high: 258 } as const;
const MOST_LITERAL_BITS = 4;
const EVEN = 1024;
const SHORTEST_MATCH = 2;

/** Where decoded bytes go; grows by doubling up to `limit`. */
export class Output {
  bytes: Uint8Array;
  length = 0;
  constructor(
    expectedBytes: number,
    private readonly limit: number,
  ) {
    this.bytes = new Uint8Array(Math.max(0, Math.min(expectedBytes, limit)));
  }
  reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.bytes.length) return;
    if (needed > this.limit) throw new FormatError(`unpacks to more than ${this.limit} bytes`);
    const larger = new Uint8Array(Math.min(this.limit, Math.max(needed, this.bytes.length * 2)));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }
}

function damaged(): FormatError {
  return new FormatError('is damaged: its LZMA data makes no sense');
}

export class Lzma2Decoder {
  private readonly probabilities = new Uint16Array(LITERALS + (0x300 << MOST_LITERAL_BITS));
  private range = 0;
  private code = 0;
  private at = 0;
  private state = 0;
  private rep0 = 0;
  private rep1 = 0;
  private rep2 = 0;
  private rep3 = 0;
  private literalContext = 0;
  private literalPositionMask = 0;
  private positionMask = 0;
  /** Bytes of output that matches may not reach. */
  private dictionaryStart = 0;

  constructor(
    private readonly input: Uint8Array,
    private readonly output: Output,
  ) {}

  /** Decodes the chunks from `at` on; returns the offset behind the end marker. */
  decode(at: number): number {
    const { input, output } = this;
    let needsDictionary = true;
    let needsProperties = true;
    let needsState = true;
    for (;;) {
      if (at >= input.length) throw damaged();
      const control = input[at]!;
      if (control === 0) return at + 1;
      const headBytes = control < 0x80 ? 3 : control >= 0xc0 ? 6 : 5;
      if (at + headBytes > input.length || (control > 2 && control < 0x80)) throw damaged();
      const word = (input[at + 1]! << 8) + input[at + 2]! + 1;
      if (control === 1 || control >= 0xe0) {
        this.dictionaryStart = output.length;
        needsDictionary = false;
      }
      if (needsDictionary) throw damaged();
      if (control < 0x80) {
        output.reserve(word);
        const end = at + 3 + word;
        if (end > input.length) throw damaged();
        output.bytes.set(input.subarray(at + 3, end), output.length);
        output.length += word;
        at = end;
        continue;
      }
      const unpacked = ((control & 0x1f) << 16) + word;
      const packed = (input[at + 3]! << 8) + input[at + 4]! + 1;
      if (control >= 0xc0) {
        this.setProperties(input[at + 5]!);
        needsProperties = false;
      }
      if (needsProperties) throw damaged();
      if (control >= 0xa0) {
        this.resetState();
        needsState = false;
      }
      if (needsState) throw damaged();
      at += headBytes;
      if (packed < 5 || at + packed > input.length) throw damaged();
      output.reserve(unpacked);
      this.range = -1;
      this.code = (input[at + 1]! << 24) | (input[at + 2]! << 16) | (input[at + 3]! << 8) | input[at + 4]!;
      this.at = at + 5;
      this.decodeChunk(output.length + unpacked);
      at += packed;
      if (this.at > at) throw damaged();
    }
  }

  private setProperties(byte: number): void {
    if (byte >= 9 * 5 * 5) throw damaged();
    const lc = byte % 9;
    const lp = Math.floor(byte / 9) % 5;
    if (lc + lp > MOST_LITERAL_BITS) throw damaged();
    this.literalContext = lc;
    this.literalPositionMask = (1 << lp) - 1;
    this.positionMask = (1 << Math.floor(byte / 45)) - 1;
  }

  private resetState(): void {
    this.probabilities.fill(EVEN);
    this.state = this.rep0 = this.rep1 = this.rep2 = this.rep3 = 0;
  }

  /** One chunk of LZMA, up to output length `end`. */
  private decodeChunk(end: number): void {
    const { output, positionMask } = this;
    const { bytes } = output;
    let position = output.length;
    while (position < end) {
      const { state } = this;
      const positionState = position & positionMask;
      if (this.bit(IS_MATCH + (state << 4) + positionState) === 0) {
        bytes[position] = this.literal(bytes, position, state);
        position++;
        this.state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
        continue;
      }
      const length = this.bit(IS_REP + state) === 0 ? this.match(positionState) : this.repeat(positionState);
      const { rep0 } = this;
      if (rep0 >= position - this.dictionaryStart || position + length > end) throw damaged();
      for (let from = position - rep0 - 1, stop = position + length; position < stop; )
        bytes[position++] = bytes[from++]!;
    }
    // The encoder leaves the range normalised.
    if ((this.range & 0xff00_0000) === 0) this.at++;
    output.length = position;
  }

  /** A match at a new distance: sets `rep0`, returns the length. */
  private match(positionState: number): number {
    this.rep3 = this.rep2;
    this.rep2 = this.rep1;
    this.rep1 = this.rep0;
    this.state = this.state < 7 ? 7 : 10;
    const length = this.length(MATCH_LENGTH, positionState);
    const slot = this.tree(SLOTS + (Math.min(length, 5) - SHORTEST_MATCH) * 64, 6);
    if (slot < 4) {
      this.rep0 = slot;
      return length;
    }
    const bits = (slot >> 1) - 1;
    const base = (2 | (slot & 1)) << bits;
    if (slot < 14) this.rep0 = base + this.reversedTree(DISTANCES + base - slot, bits);
    else this.rep0 = (base + (this.directBits(bits - 4) << 4) + this.reversedTree(ALIGN, 4)) >>> 0;
    return length;
  }

  /** A match at one of the last four distances: moves it to `rep0`, returns the length. */
  private repeat(positionState: number): number {
    const { state } = this;
    if (this.bit(IS_REP0 + state) === 0) {
      if (this.bit(IS_REP0_LONG + (state << 4) + positionState) === 0) {
        this.state = state < 7 ? 9 : 11;
        return 1;
      }
    } else {
      let distance = this.rep1;
      if (this.bit(IS_REP1 + state) !== 0) {
        distance = this.rep2;
        if (this.bit(IS_REP2 + state) !== 0) {
          distance = this.rep3;
          this.rep3 = this.rep2;
        }
        this.rep2 = this.rep1;
      }
      this.rep1 = this.rep0;
      this.rep0 = distance;
    }
    this.state = state < 7 ? 8 : 11;
    return this.length(REP_LENGTH, positionState);
  }

  private length(coder: number, positionState: number): number {
    if (this.bit(coder + LENGTH.choice) === 0) {
      return SHORTEST_MATCH + this.tree(coder + LENGTH.low + positionState * 8, 3);
    }
    if (this.bit(coder + LENGTH.choice2) === 0) {
      return SHORTEST_MATCH + 8 + this.tree(coder + LENGTH.middle + positionState * 8, 3);
    }
    return SHORTEST_MATCH + 16 + this.tree(coder + LENGTH.high, 8);
  }

  private bit(model: number): 0 | 1 {
    const { probabilities } = this;
    if ((this.range & 0xff00_0000) === 0) {
      this.range <<= 8;
      this.code = (this.code << 8) | this.input[this.at++]!;
    }
    const probability = probabilities[model]!;
    const bound = Math.imul(this.range >>> 11, probability);
    if (this.code >>> 0 < bound >>> 0) {
      this.range = bound;
      probabilities[model] = probability + ((2048 - probability) >> 5);
      return 0;
    }
    this.range = (this.range - bound) | 0;
    this.code = (this.code - bound) | 0;
    probabilities[model] = probability - (probability >> 5);
    return 1;
  }

  /** A byte; behind a match the byte at the match's distance decides which models are used. */
  private literal(bytes: Uint8Array, position: number, state: number): number {
    const { probabilities, input } = this;
    let { range, code, at } = this;
    const before = position > this.dictionaryStart ? bytes[position - 1]! : 0;
    const lc = this.literalContext;
    const which = ((position & this.literalPositionMask) << lc) + (before >> (8 - lc));
    const base = LITERALS + 0x300 * which;
    let symbol = 1;
    let matched = 0;
    let offset = 0;
    if (state >= 7) {
      matched = bytes[position - this.rep0 - 1] ?? 0;
      offset = 0x100;
    }
    while (symbol < 0x100) {
      matched <<= 1;
      const matchedBit = matched & offset;
      const model = base + offset + matchedBit + symbol;
      if ((range & 0xff00_0000) === 0) {
        range <<= 8;
        code = (code << 8) | input[at++]!;
      }
      const probability = probabilities[model]!;
      const bound = Math.imul(range >>> 11, probability);
      if (code >>> 0 < bound >>> 0) {
        range = bound;
        probabilities[model] = probability + ((2048 - probability) >> 5);
        symbol <<= 1;
        offset &= ~matchedBit;
      } else {
        range = (range - bound) | 0;
        code = (code - bound) | 0;
        probabilities[model] = probability - (probability >> 5);
        symbol = (symbol << 1) | 1;
        offset &= matchedBit;
      }
    }
    this.range = range;
    this.code = code;
    this.at = at;
    return symbol & 0xff;
  }

  /** `bits` bits, highest first. */
  private tree(base: number, bits: number): number {
    const { probabilities, input } = this;
    let { range, code, at } = this;
    const limit = 1 << bits;
    let symbol = 1;
    while (symbol < limit) {
      const model = base + symbol;
      if ((range & 0xff00_0000) === 0) {
        range <<= 8;
        code = (code << 8) | input[at++]!;
      }
      const probability = probabilities[model]!;
      const bound = Math.imul(range >>> 11, probability);
      if (code >>> 0 < bound >>> 0) {
        range = bound;
        probabilities[model] = probability + ((2048 - probability) >> 5);
        symbol <<= 1;
      } else {
        range = (range - bound) | 0;
        code = (code - bound) | 0;
        probabilities[model] = probability - (probability >> 5);
        symbol = (symbol << 1) | 1;
      }
    }
    this.range = range;
    this.code = code;
    this.at = at;
    return symbol - limit;
  }

  /** `bits` bits, lowest first. */
  private reversedTree(base: number, bits: number): number {
    let symbol = 1;
    let value = 0;
    for (let n = 0; n < bits; n++) {
      const bit = this.bit(base + symbol);
      symbol = (symbol << 1) | bit;
      value |= bit << n;
    }
    return value;
  }

  /** `count` bits of even chance, highest first. */
  private directBits(count: number): number {
    let { range, code, at } = this;
    let value = 0;
    for (let n = 0; n < count; n++) {
      if ((range & 0xff00_0000) === 0) {
        range <<= 8;
        code = (code << 8) | this.input[at++]!;
      }
      range >>>= 1;
      if (code >>> 0 >= range) {
        code = (code - range) | 0;
        value = (value << 1) | 1;
      } else value <<= 1;
    }
    this.range = range | 0;
    this.code = code;
    this.at = at;
    return value;
  }
}
