import type { FlagKeeper } from './flag-keeper.js';
import type { RandomNumbers } from './random-numbers.js';
import { randomSse } from './random-sse.js';
import { UNIT_ENCODINGS, type UnitEncoding } from './unit-encodings.js';

/** Random 32-bit code that mostly does not fault: data around four pointers, loops that end, calls that return. */

const EAX = 0;
const ECX = 1;
const EDX = 2;
const EBX = 3;
const ESP = 4;
const EBP = 5;
const ESI = 6;
const EDI = 7;
const POINTERS = [EBX, EBP, ESI, EDI];
const SCRATCH = [EAX, ECX, EDX];

/** Where code and data are, if nobody wants them elsewhere: both parts of the data straddle pages. */
export const CODE_AT = 0x3f00;
export const DATA_AT = 0x1_0000;
export const DATA_BYTES = 0x4000;
/** Bytes below `DATA_AT` that are data too. */
export const DATA_BEFORE = 0x1000;
/** Values of the registers at the start, EAX … EDI; everything lies `base` bytes higher. */
export function startRegisters(random: RandomNumbers, base = 0): number[] {
  const pointer = (): number => base + DATA_AT + 0x1000 * (1 + random.below(2)) + random.below(64) - 32;
  const value = (): number => (random.chance(30) ? random.below(8) : random.next());
  return [
    value(),
    value(),
    value(),
    pointer(),
    base + DATA_AT + 0x2000 + 4 * random.below(64),
    pointer(),
    pointer(),
    pointer(),
  ];
}

/** What programs are to be like. */
export interface ProgramOptions {
  /** Added to all addresses. */
  readonly base?: number;
  /**
   * Only what means the same in 64-bit mode, where addresses do not wrap: nothing that uses the stack, no FS and GS.
   * The keeper sees to it that nothing depends on undefined flags.
   */
  readonly flags?: FlagKeeper;
}

/** Makes one program. It ends in INT3. */
export class CodeGenerator {
  private code: number[] = [];
  /** Calls to functions that are yet to be placed: position of the displacement, function. */
  private calls: { at: number; to: number }[] = [];
  private depth = 0;
  /** Percentage of instructions that are of SSE and find numbers at `NUMBERS_AT`. */
  private sse = 0;
  /** In a function ESP has to be what it was. */
  private balanced = false;

  private readonly dataAt: number;
  private readonly flags: FlagKeeper | undefined;

  constructor(
    private readonly random: RandomNumbers,
    { base = 0, flags }: ProgramOptions = {},
  ) {
    this.dataAt = base + DATA_AT;
    this.flags = flags;
  }

  program(): Uint8Array {
    const { random } = this;
    this.sse = random.pick([0, 0, 0, 5, 30, 80]);
    this.sequence(2 + random.below(24));
    this.emit(0xcc);
    if (this.flags) return Uint8Array.from(this.code);
    const functions: number[] = [];
    for (let i = 0; i < 3; i++) {
      functions.push(this.code.length);
      const { calls } = this;
      this.calls = [];
      this.depth = 2;
      this.balanced = true;
      this.sequence(1 + random.below(8));
      this.calls = calls;
      if (random.chance(20)) this.emit(0xc2, 0, 0);
      else this.emit(0xc3);
    }
    for (const { at, to } of this.calls) this.patch32(at, functions[to]! - (at + 4));
    return Uint8Array.from(this.code);
  }

  private emit(...bytes: number[]): void {
    for (const byte of bytes) this.code.push(byte & 0xff);
  }
  private emit32(value: number): void {
    this.emit(value, value >> 8, value >> 16, value >> 24);
  }
  private patch32(at: number, value: number): void {
    for (let i = 0; i < 4; i++) this.code[at + i] = (value >> (8 * i)) & 0xff;
  }

  private sequence(length: number): void {
    for (let i = 0; i < length; i++) this.item();
  }

  private item(): void {
    const { random } = this;
    const kind = random.below(100);
    if (kind < 10 && this.depth < 3) this.skip();
    else if (kind < 14 && this.depth < 2) this.repeat();
    else if (kind < 20 && this.depth < 2 && !this.flags) this.call();
    else if (this.sse > 0 && random.chance(this.sse))
      this.checked(() => this.emit(...randomSse(random, this.dataAt - DATA_AT)));
    else this.checked(() => this.instruction());
  }

  /** Emits by `emit`, and what the keeper of flags puts in between. */
  private checked(emit: () => void): void {
    const start = this.code.length;
    emit();
    if (this.flags) this.code.push(...this.flags.follow(this.code.splice(start)));
  }

  /** Jcc over some instructions. */
  private skip(): void {
    this.depth++;
    const jump = [0x0f, 0x80 | this.random.below(16)];
    this.emit(...(this.flags?.follow([...jump, 0, 0, 0, 0]).slice(0, -4) ?? jump));
    const before = this.flags?.undefinedFlags ?? 0;
    const at = this.code.length;
    this.emit32(0);
    this.sequence(1 + this.random.below(4));
    this.patch32(at, this.code.length - (at + 4));
    if (this.flags) this.flags.undefinedFlags |= before;
    this.depth--;
  }

  /** A loop that counts in memory, where nothing else goes. */
  private repeat(): void {
    const { random } = this;
    const counter = this.dataAt - 0x100 + 4 * random.below(16);
    this.depth++;
    this.emit(0xc7, 0x04, 0x25);
    this.emit32(counter);
    this.emit32(1 + random.below(12));
    const top = this.code.length;
    // Who comes from below may have left any of them undefined.
    if (this.flags) this.flags.undefinedFlags = 0x8d5;
    this.sequence(1 + random.below(6));
    this.emit(0xff, 0x0c, 0x25);
    this.emit32(counter);
    this.emit(0x0f, 0x8f);
    this.emit32(top - (this.code.length + 4));
    this.depth--;
  }

  private call(): void {
    this.emit(0xe8);
    this.calls.push({ at: this.code.length, to: this.random.below(3) });
    this.emit32(0);
  }

  /** ModRM with what follows: a register, or memory near a pointer. */
  private modrm(reg: number, registerOnly = false, memoryOnly = false): void {
    const { random } = this;
    if (!memoryOnly && (registerOnly || random.chance(45))) {
      this.emit(0xc0 | (reg << 3) | random.pick(SCRATCH));
      return;
    }
    const base = random.pick([...POINTERS, ESP]);
    const shape = random.below(10);
    if (shape === 0) {
      // Without SIB it would be relative to RIP in 64-bit mode.
      if (this.flags || random.chance(30)) this.emit((reg << 3) | 4, 0x25);
      else this.emit((reg << 3) | 5);
      this.emit32(this.dataAt + random.below(DATA_BYTES - 16));
    } else if ((shape === 1 && random.chance(10) && !this.flags) || base === ESP) {
      // With SIB; any other index is likely to lead far away.
      const index = base === ESP ? ESP : random.pick([ECX, EDX]);
      this.emit(
        0x44 | (reg << 3),
        (random.below(4) << 6) | (index << 3) | base,
        random.below(64) * (random.chance(80) ? 4 : 1),
      );
    } else if (shape < 8) {
      this.emit(0x40 | (reg << 3) | base, random.below(256));
    } else {
      this.emit(0x80 | (reg << 3) | base);
      this.emit32(random.below(0x800) - 0x400);
    }
  }

  private instruction(): void {
    const { random } = this;
    const shared = this.flags !== undefined;
    if (random.chance(25)) {
      this.unitInstruction();
      return;
    }
    if (random.chance(4)) {
      this.indexed();
      return;
    }
    const wide = random.chance(75) ? 1 : 0;
    const kind = random.below(34);
    // A BSWAP, or a SHLD by more than 16, of 16 bits is undefined.
    const operand16 = wide === 1 && kind < 29 && random.chance(10) && !(shared && [25, 26, 27].includes(kind));
    if (operand16) this.emit(0x66);
    const immediate = (): void => {
      const value = random.chance(50) ? random.below(16) - 4 : random.next();
      if (wide === 0) this.emit(value);
      else if (operand16) this.emit(value, value >> 8);
      else this.emit32(value);
    };
    const target = random.pick(SCRATCH);
    switch (kind) {
      case 0:
      case 1:
      case 2:
        this.emit((random.below(8) << 3) | wide);
        this.modrm(target);
        return;
      case 3:
      case 4:
        this.emit((random.below(8) << 3) | 2 | wide);
        this.modrm(target);
        return;
      case 5:
        this.emit(0x80 | wide);
        this.modrm(random.below(8));
        immediate();
        return;
      case 6:
        this.emit(0x83);
        this.modrm(random.below(8));
        this.emit(random.below(256));
        return;
      case 7:
      case 8:
        this.emit(0x88 | wide | (random.chance(50) ? 2 : 0));
        this.modrm(target);
        return;
      case 9:
        this.emit(0xc6 | wide);
        this.modrm(0);
        immediate();
        return;
      case 10:
        if (shared) this.emit(0xff, 0xc0 | (random.chance(50) ? 8 : 0) | target);
        else this.emit(0x40 | (random.chance(50) ? 8 : 0) | target);
        return;
      case 11:
        this.emit(0xfe | wide);
        this.modrm(random.below(2));
        return;
      case 12:
        this.emit(random.pick([0xc0, 0xc1]));
        this.modrm(random.below(8));
        this.emit(random.below(40));
        return;
      case 13:
        this.emit(random.pick([0xd0, 0xd1, 0xd2, 0xd3]));
        this.modrm(random.below(8));
        return;
      case 14:
        this.emit(0xf6 | wide);
        this.modrm(random.pick([2, 3, 4, 5]));
        return;
      case 15:
        // DIV and IDIV, which often fault.
        if (random.chance(5)) {
          this.emit(0xf6 | wide);
          this.modrm(random.pick([6, 7]));
        } else this.emit(0x99);
        return;
      case 16:
        this.emit(0x0f, random.pick([0xb6, 0xb7, 0xbe, 0xbf, 0xaf]));
        this.modrm(target);
        return;
      case 17:
        this.emit(0x0f, 0x90 | random.below(16));
        this.modrm(0);
        return;
      case 18:
        this.emit(0x0f, 0x40 | random.below(16));
        this.modrm(target);
        return;
      case 19:
        this.emit(0x8d);
        this.modrm(random.chance(85) ? target : random.pick([ESI, EDI]), false, true);
        return;
      case 20:
        this.emit(this.balanced || shared ? 0x90 : 0x50 | random.below(8));
        return;
      case 21:
        this.emit(this.balanced || shared ? 0x90 : 0x58 | target);
        return;
      case 22:
        this.emit(0x0f, random.pick([0xa3, 0xab, 0xb3, 0xbb]));
        // A bit string may be far away.
        this.modrm(target, shared || random.chance(90));
        return;
      case 23:
        this.emit(0x0f, 0xba);
        this.modrm(4 + random.below(4));
        this.emit(random.below(256));
        return;
      case 24:
        this.emit(0x0f, random.pick([0xbc, 0xbd]));
        this.modrm(target);
        return;
      case 25:
        this.emit(0x0f, 0xc8 | target);
        return;
      case 26:
        this.emit(0x0f, random.pick([0xa4, 0xac]));
        this.modrm(target);
        this.emit(random.below(40));
        return;
      case 27:
        this.emit(0x0f, random.pick([0xa5, 0xad, 0xb0, 0xb1, 0xc0, 0xc1]));
        this.modrm(target);
        return;
      case 28:
        this.emit(random.pick([0x86, 0x87]));
        this.modrm(target);
        return;
      case 29:
        this.emit(random.pick([0x9e, 0x9f, 0xf5, 0xf8, 0xf9, 0x98, ...(shared ? [] : [0xd6, 0x27, 0x2f, 0x37, 0x3f])]));
        return;
      case 30: {
        // Strings, forwards, with a small count; now and then a pointer gets back what it was, as in memcpy.
        const saved = random.chance(30) ? random.pick([ESI, EDI]) : undefined;
        if (saved !== undefined) this.emit(0x89, 0xc0 | (saved << 3) | EDX);
        if (random.chance(50)) this.emit(0xb9, random.below(20), 0, 0, 0, random.pick([0xf3, 0xf2]));
        this.emit(random.pick([0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf]));
        if (saved !== undefined) this.emit(0x89, 0xc0 | (EDX << 3) | saved);
        return;
      }
      case 31:
        // With a segment override.
        this.emit(random.pick([0x26, 0x36, 0x3e, ...(shared ? [] : [0x64, 0x65])]), 0x8b);
        this.modrm(target, false, true);
        return;
      case 32:
        this.emit(
          ...random.pick(shared ? [[0xfc], [0x90]] : [[0x9c, 0x9d], [0x60, 0x61], [0x0f, 0x31], [0xfc], [0x90]]),
        );
        return;
      default:
        if (this.balanced || shared) this.emit(0x90);
        else this.emit(0x68, random.below(256), random.below(256), 0, 0);
    }
  }

  /** An element of a table: its index is a byte. */
  private indexed(): void {
    const { random } = this;
    const index = random.pick([ECX, EDX]);
    this.emit(0x0f, 0xb6, 0xc0 | (index << 3) | random.pick(SCRATCH));
    this.emit(random.pick([0x01, 0x03, 0x29, 0x33, 0x39, 0x89, 0x8b]), 0x44 | (random.pick(SCRATCH) << 3));
    this.emit((random.below(4) << 6) | (index << 3) | random.pick(POINTERS), random.below(256));
  }

  /** One of x87, MMX or SSE. */
  private unitInstruction(): void {
    const { random } = this;
    if (this.flags === undefined && random.chance(50)) {
      for (let count = 1 + random.below(8); count > 0; count--) this.x87();
      return;
    }
    const kind = random.below(20);
    if (kind === 0) {
      // Away with MMX, or with whatever there is.
      this.emit(
        ...random.pick([
          [0x0f, 0x77],
          [0xdb, 0xe3],
        ]),
      );
    } else if (kind === 1) {
      // Rounding and precision: all exceptions stay masked.
      const word = 0x7f | (random.pick([0, 2, 3]) << 8) | (random.below(4) << 10);
      const at = this.dataAt - 0x80;
      this.emit(0x66, 0xc7, 0x04, 0x25);
      this.emit32(at);
      this.emit(word, word >> 8, 0xd9, 0x2c, 0x25);
      this.emit32(at);
    } else if (kind < 5) {
      // Something to compute with.
      this.emit(0xd9, random.pick([0xe8, 0xeb, 0xee, 0xc0, 0xc9]));
    } else this.encoded(random.pick(random.pick(UNIT_ENCODINGS)));
  }

  /** An instruction of the x87: mostly registers full and empty, now and then something odd. */
  private x87(): void {
    const { random } = this;
    const kind = random.below(19);
    if (kind < 4) {
      if (random.chance(30)) this.emit(0xd9, random.pick([0xe8, 0xe9, 0xea, 0xeb, 0xec, 0xed, 0xee, 0xc0, 0xc1]));
      else this.onMemory(random.pick(X87_LOADS));
    } else if (kind < 7) {
      this.emit(random.pick([0xd8, 0xdc, 0xde]));
      if (random.chance(50)) this.modrm(random.pick([0, 1, 4, 5, 6, 7]), false, true);
      else this.emit(random.pick([0xc0, 0xc8, 0xe0, 0xe8, 0xf0, 0xf8]) | random.below(3));
    } else if (kind < 8) {
      this.emit(random.pick([0xd8, 0xda, 0xdc, 0xde]));
      this.modrm(random.below(8), false, true);
    } else if (kind < 11) this.onMemory(random.pick(X87_STORES));
    else if (kind < 14) this.emit(0xd9, random.pick([0xc8, 0xc9, 0xca, 0xcb, 0xd0, 0xd8, 0xe0, 0xe1, 0xf6, 0xf7]));
    else if (kind < 15) this.emit(random.pick([0xda, 0xdb]), 0xc0 | random.below(32));
    else if (kind < 16) this.emit(...random.pick(X87_COMPARISONS));
    else if (kind < 18) this.emit(0xd9, random.pick([0xe5, 0xf8, 0xfa, 0xfa, 0xfc, 0xfc, 0xfd]));
    else this.controlWord();
  }

  private onMemory([opcode, digit]: readonly [number, number]): void {
    this.emit(opcode);
    this.modrm(digit, false, true);
  }

  /** Any rounding and precision; seldom with an exception unmasked. */
  private controlWord(): void {
    const { random, dataAt } = this;
    const word = 0x40 | (random.chance(97) ? 0x3f : random.below(64)) | (random.below(16) << 8);
    this.emit(0x66, 0xc7, 0x05);
    this.emit32(dataAt - 0x80);
    this.emit(word, word >> 8, 0xd9, 0x2d);
    this.emit32(dataAt - 0x80);
  }

  private encoded({ encoding, memory, aligned }: UnitEncoding): void {
    const { random } = this;
    const { operands } = encoding;
    const bytes = [...[[], [0x66], [0xf3], [0xf2]][Math.max(0, encoding.prefix)]!];
    bytes.push(...[[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]][encoding.map]!, encoding.opcode);
    this.emit(...bytes);
    const general = (kind: string): boolean => operands.some((operand) => operand.kind === kind);
    if (encoding.modrm >= 0) this.emit(encoding.modrm);
    else if (encoding.hasModrm) {
      const digit = encoding.digit >= 0 ? encoding.digit : general('reg') ? random.pick(SCRATCH) : random.below(8);
      if (!memory) this.emit(0xc0 | (digit << 3) | (general('rm') ? random.pick(SCRATCH) : random.below(8)));
      else if (aligned && random.chance(95)) {
        this.emit((digit << 3) | 4, 0x25);
        this.emit32(this.dataAt + 16 * random.below(DATA_BYTES / 16 - 1));
      } else this.modrm(digit, false, true);
    }
    if (general('immediate')) this.emit(random.below(random.chance(50) ? 256 : 20));
    // FTST: what these leave in C1 is not the same on all processors.
    if (this.flags && /^fu?comip?$/.test(encoding.row.name)) this.emit(0xd9, 0xe4);
  }
}

/** Opcode and the reg field behind it, of loads and stores in every format. */
const X87_LOADS: readonly (readonly [number, number])[] = [
  [0xd9, 0],
  [0xdd, 0],
  [0xdd, 0],
  [0xdb, 5],
  [0xdf, 0],
  [0xdb, 0],
  [0xdf, 5],
];
const X87_STORES: readonly (readonly [number, number])[] = [
  [0xd9, 2],
  [0xd9, 3],
  [0xdd, 2],
  [0xdd, 3],
  [0xdb, 7],
  [0xdb, 2],
  [0xdf, 2],
  [0xdb, 3],
  [0xdf, 3],
  [0xdf, 7],
];
const X87_COMPARISONS: readonly (readonly number[])[] = [
  [0xd8, 0xd1, 0xdf, 0xe0],
  [0xd8, 0xd9],
  [0xdd, 0xe1, 0xdf, 0xe0, 0x9e],
  [0xde, 0xd9],
  [0xd9, 0xe4, 0xdf, 0xe0],
  [0xdb, 0xe9],
  [0xdf, 0xf1],
];
