/** Random 32-bit code that mostly does not fault: data around four pointers, loops that end, calls that return. */

/** A small generator of numbers, the same for the same seed (xorshift32). */
export class RandomNumbers {
  private state: number;
  constructor(seed: number) {
    this.state = Math.imul(seed ^ 0x9e37_79b9, 0x85eb_ca6b) | 1;
    for (let i = 0; i < 8; i++) this.next();
  }
  /** A signed 32-bit number. */
  next(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return x;
  }
  /** 0 … n−1 */
  below(n: number): number {
    return (this.next() >>> 0) % n;
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }
}

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

/** Where code and data are: both parts of the data straddle pages. */
export const CODE_AT = 0x3f00;
export const DATA_AT = 0x1_0000;
export const DATA_BYTES = 0x4000;
/** Values of the registers at the start, EAX … EDI. */
export function startRegisters(random: RandomNumbers): number[] {
  const pointer = (): number => DATA_AT + 0x1000 * (1 + random.below(2)) + random.below(64) - 32;
  const value = (): number => (random.chance(30) ? random.below(8) : random.next());
  return [
    value(),
    value(),
    value(),
    pointer(),
    DATA_AT + 0x2000 + 4 * random.below(64),
    pointer(),
    pointer(),
    pointer(),
  ];
}

/** Makes one program. It ends in INT3. */
export class CodeGenerator {
  private code: number[] = [];
  /** Calls to functions that are yet to be placed: position of the displacement, function. */
  private calls: { at: number; to: number }[] = [];
  private depth = 0;
  /** In a function ESP has to be what it was. */
  private balanced = false;

  constructor(private readonly random: RandomNumbers) {}

  program(): Uint8Array {
    const { random } = this;
    this.sequence(2 + random.below(24));
    this.emit(0xcc);
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
    else if (kind < 20 && this.depth < 2) this.call();
    else this.instruction();
  }

  /** Jcc over some instructions. */
  private skip(): void {
    this.depth++;
    this.emit(0x0f, 0x80 | this.random.below(16));
    const at = this.code.length;
    this.emit32(0);
    this.sequence(1 + this.random.below(4));
    this.patch32(at, this.code.length - (at + 4));
    this.depth--;
  }

  /** A loop that counts in memory, where nothing else goes. */
  private repeat(): void {
    const { random } = this;
    const counter = DATA_AT - 0x100 + 4 * random.below(16);
    this.depth++;
    this.emit(0xc7, 0x05);
    this.emit32(counter);
    this.emit32(1 + random.below(12));
    const top = this.code.length;
    this.sequence(1 + random.below(6));
    this.emit(0xff, 0x0d);
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
      this.emit((reg << 3) | 5);
      this.emit32(DATA_AT + random.below(DATA_BYTES - 16));
    } else if ((shape === 1 && random.chance(10)) || base === ESP) {
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
    const wide = random.chance(75) ? 1 : 0;
    const kind = random.below(36);
    const operand16 = wide === 1 && kind < 29 && random.chance(10);
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
        this.emit(0x40 | (random.chance(50) ? 8 : 0) | target);
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
        this.emit(this.balanced ? 0x90 : 0x50 | random.below(8));
        return;
      case 21:
        this.emit(this.balanced ? 0x90 : 0x58 | target);
        return;
      case 22:
        this.emit(0x0f, random.pick([0xa3, 0xab, 0xb3, 0xbb]));
        // A bit string may be far away.
        this.modrm(target, random.chance(90));
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
        this.emit(random.pick([0x9e, 0x9f, 0xf5, 0xf8, 0xf9, 0x98, 0xd6, 0x27, 0x2f, 0x37, 0x3f]));
        return;
      case 30:
        // Strings, forwards, with a small count.
        if (random.chance(50)) this.emit(0xb9, random.below(20), 0, 0, 0, random.pick([0xf3, 0xf2]));
        this.emit(random.pick([0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf]));
        return;
      case 31:
        // With a segment override.
        this.emit(random.pick([0x26, 0x36, 0x3e, 0x64, 0x65]), 0x8b);
        this.modrm(target, false, true);
        return;
      case 32:
        this.emit(...random.pick([[0x9c, 0x9d], [0x60, 0x61], [0x0f, 0x31], [0xfc], [0x90]]));
        return;
      case 33:
      case 34:
        // x87: mostly registers full and empty, now and then something odd.
        if (random.chance(60)) this.emit(0xd9, random.pick([0xe8, 0xeb, 0xee, 0xc0, 0xc9]));
        this.emit(random.pick([0xd8, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde]));
        this.modrm(random.pick([0, 2, 3]), false, true);
        return;
      default:
        if (random.chance(50) && !this.balanced) this.emit(0x68, random.below(256), random.below(256), 0, 0);
        else {
          // MMX
          this.emit(0x0f, random.pick([0xfc, 0xfd, 0xfe, 0xef, 0xd5, 0x63, 0x60, 0x74, 0x6f]));
          this.emit(0xc0 | random.below(64));
        }
    }
  }
}
