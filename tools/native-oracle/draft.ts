/** A test in the making: registers that may still move, bytes that are not yet put together. */

import type { Dice } from '../x87-oracle/questions.js';
import {
  CODE_HIGH,
  CODE_LOW,
  DATA_HIGH,
  DATA_LOW,
  MODE_CODE16,
  MODE_SEGMENTED,
  MODES,
  PAGE,
  type Patch,
  READ_ONLY,
  type TestSegment,
  WINDOW,
} from './layout.js';
import { address16, operand16, operandBits, type Shape, stack16 } from './shapes.js';
import { oneIn, pickValue } from './values.js';

export const [EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
export const [ES, CS, SS, DS, FS, GS] = [0, 1, 2, 3, 4, 5] as const;
const OVERRIDES = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65];

/** The ModRM byte and what follows it. */
export interface ModRm {
  modrm: number;
  tail: number[];
}

export class Draft {
  readonly dice: Dice;
  readonly shape: Shape;
  readonly registers: Uint32Array;
  /** Registers whose values something already depends on. */
  readonly pinned = new Set<number>();
  readonly patches: Patch[] = [];
  /** Register number in ModRM.reg. */
  reg: number;
  /** Register number in ModRM.rm of a register operand, or in the opcode. */
  rm: number;
  /** −1 or the segment named by a prefix. */
  override: number;
  /** Immediates in order, low bytes used. */
  immediates: number[] = [];
  /** Operand of direct far transfers. */
  farPointer = { selector: 0, offset: 0 };
  /** Bytes between the effective address of the memory operand and what is accessed (bit strings, POP [ESP]). */
  displaced = 0;
  /** Bytes accessed at the memory operand. */
  memoryBytes: number;
  /** What the memory operand is to hold; otherwise edges and random bytes. */
  memoryValue: Uint8Array | undefined;
  /** Linear address of the memory operand. */
  memoryLinear = -1;
  /** Memory operands never lie at edges. */
  onlyInside = false;
  readonly codeAddress: number;

  /** About half of the registers stay as in `previous`, if given: such tests pack better. */
  constructor(dice: Dice, shape: Shape, previous?: Uint32Array) {
    this.dice = dice;
    this.shape = shape;
    this.registers = Uint32Array.from({ length: 8 }, (_, i) =>
      previous && oneIn(dice, 2) ? previous[i]! : pickValue(dice),
    );
    // The oracle's own memory is no place for a stack pointer.
    while (this.registers[ESP]! >>> 24 === 8) this.registers[ESP] = dice.word();
    const { encoding } = shape;
    this.reg =
      encoding.digit >= 0 ? encoding.digit : dice.below(encoding.operands.some((o) => o.kind === 'segment') ? 4 : 8);
    this.rm = dice.below(8);
    const memory = shape.memory || encoding.row.addressSized === true;
    this.override = memory && oneIn(dice, 8) ? dice.below(6) : -1;
    const { rmOperand } = encoding;
    this.memoryBytes = shape.memory ? Math.max(1, operandBits(shape, rmOperand) / 8) : 0;
    const low = shape.mode === MODE_CODE16 || (shape.mode !== MODE_SEGMENTED && oneIn(dice, 2));
    this.codeAddress = (low ? CODE_LOW : CODE_HIGH) + 0x800;
  }

  segment(number: number): TestSegment {
    return MODES[this.shape.mode]![number]!;
  }
  get operandBytes(): number {
    return operand16(this.shape) ? 2 : 4;
  }
  get addressMask(): number {
    return address16(this.shape) ? 0xffff : 0xffff_ffff;
  }

  pin(register: number, value: number): void {
    this.registers[register] = value;
    this.pinned.add(register);
  }
  /** As `pin`, of the low 16 bits only where addresses have no more. */
  pinPointer(register: number, value: number, mask: number): void {
    this.pin(register, ((this.registers[register]! & ~mask) | (value & mask)) >>> 0);
  }

  /** An offset in segment `number` where `bytes` can be accessed, or, now and then, can not. */
  place(number: number, bytes: number, mask: number, margin = 0): number {
    const { dice } = this;
    const segment = this.segment(number);
    const windows = [DATA_LOW, DATA_HIGH].filter((start) => {
      const offset = (start + PAGE - segment.base) >>> 0;
      return (
        offset <= mask &&
        offset > 0 &&
        (segment.access & 0x400 && !(segment.access & 0x800) ? offset > segment.limit : offset <= segment.limit)
      );
    });
    const start = windows.length > 0 ? dice.pick(windows) : DATA_HIGH;
    let linear: number;
    switch (this.onlyInside ? -1 : dice.below(48)) {
      case 0:
        linear = start + WINDOW - dice.below(bytes + 1);
        break;
      case 1:
        linear = start - 1 - dice.below(bytes);
        break;
      case 2:
        linear = start === DATA_HIGH ? READ_ONLY + dice.below(PAGE) : start + WINDOW + dice.below(16);
        break;
      case 3:
        linear = start + 0x1801 - dice.below(bytes + 2);
        break;
      case 4:
      case 5:
        linear = start + PAGE - dice.below(bytes + 1);
        break;
      default: {
        const room = WINDOW - 2 * margin - bytes;
        linear = start + margin + dice.below(room);
        if (oneIn(dice, 2)) linear &= ~3;
      }
    }
    const offset = (linear - segment.base) >>> 0;
    return offset <= mask ? offset : (offset & mask) | 0x8000;
  }

  linear(number: number, offset: number): number {
    return (this.segment(number).base + offset) >>> 0;
  }

  /** Puts bytes into a data window; what is outside is dropped. */
  patch(linear: number, bytes: Uint8Array): void {
    if (this.patches.length === 2) return;
    for (const start of [DATA_LOW, DATA_HIGH]) {
      const from = Math.max(start, linear);
      const to = Math.min(start + WINDOW, linear + Math.min(bytes.length, 16));
      if (from < to) this.patches.push({ address: from, bytes: bytes.slice(from - linear, to - linear) });
    }
  }

  /** ESP somewhere in a stack; `bytes` below and above it are usually accessible. */
  placeStack(margin = 160): void {
    const mask = stack16(this.shape) ? 0xffff : 0xffff_ffff;
    // Around 0 the pointer wraps; what happens at 4 GiB depends on the processor model unless it is aligned.
    const offset = oneIn(this.dice, 64)
      ? this.dice.below(4) * (mask === 0xffff ? 1 : 4)
      : this.place(SS, 4, mask, margin);
    this.pinPointer(ESP, offset, mask);
  }
  /** The same, with `margin` bytes accessible for certain. */
  placeSafeStack(margin = 160): void {
    const base = this.segment(SS).base;
    const start = stack16(this.shape) ? DATA_LOW : DATA_HIGH;
    const room = base > DATA_HIGH ? PAGE : 0;
    const linear = start + room + margin + this.dice.below(WINDOW - room - 2 * margin);
    this.pinPointer(ESP, linear - base, stack16(this.shape) ? 0xffff : 0xffff_ffff);
  }
  get stackLinear(): number {
    const mask = stack16(this.shape) ? 0xffff : 0xffff_ffff;
    return this.linear(SS, (this.registers[ESP]! & mask) >>> 0);
  }

  /** Behind the limit of CS a processor faults at the jump, we at its target: tests stay away from there. */
  get hasCodeLimit(): boolean {
    return this.shape.mode === MODE_SEGMENTED || this.shape.mode === MODE_CODE16;
  }

  /** A place in code to jump to, as an offset in CS: not the instruction itself, seldom nowhere. */
  pickTarget(): number {
    const { dice } = this;
    const { mode } = this.shape;
    const page = this.hasCodeLimit || this.operandBytes === 4 ? this.codeAddress & ~0xfff : CODE_LOW;
    const nowhere = mode !== MODE_SEGMENTED && oneIn(dice, 24);
    const linear = page + (nowhere ? 0x1000 + dice.below(64) : dice.below(0x7f0) + (oneIn(dice, 2) ? 0x810 : 0));
    return (linear - this.segment(CS).base) >>> 0;
  }

  /** Encodes a memory operand and moves registers so that it means `offset`. */
  solve(pickOffset: (segment: number) => number): ModRm {
    return address16(this.shape) ? this.solve16(pickOffset) : this.solve32(pickOffset);
  }

  private solve32(pickOffset: (segment: number) => number): ModRm {
    const { dice, registers, pinned } = this;
    const form = dice.below(6);
    let base = form === 0 || form === 1 ? -1 : dice.below(8);
    const index = form === 1 || form >= 4 ? dice.pick([0, 1, 2, 3, 5, 6, 7]) : -1;
    const scale = index >= 0 ? dice.below(4) : 0;
    if (oneIn(dice, 4) && base >= 0 && pinned.has(base)) base = dice.below(8);
    let mod = base < 0 ? 0 : dice.below(3);
    if (base === EBP && mod === 0) mod = 1;
    const canMove = base >= 0 && base !== index && !pinned.has(base);
    if (base >= 0 && !canMove) mod = 2;
    const segment = this.override >= 0 ? this.override : base === ESP || base === EBP ? SS : DS;
    const wanted = (pickOffset(segment) - this.displaced) >>> 0;
    const scaled = index < 0 ? 0 : registers[index]! << scale;
    let displacement = mod === 1 ? (dice.word() << 24) >> 24 : mod === 2 ? dice.word() | 0 : 0;
    if (canMove) registers[base] = wanted - scaled - displacement;
    else displacement = (wanted - scaled - (base < 0 ? 0 : registers[base]!)) | 0;
    if (base >= 0) pinned.add(base);
    if (index >= 0) pinned.add(index);
    this.memoryLinear = this.linear(segment, (wanted + this.displaced) >>> 0);
    const bytes = base < 0 || mod === 2 ? 4 : mod === 1 ? 1 : 0;
    const tail = Array.from({ length: bytes }, (_, i) => (displacement >> (8 * i)) & 0xff);
    const sib = index >= 0 || base === ESP || (base < 0 ? false : oneIn(dice, 16));
    if (!sib) return { modrm: (mod << 6) | (base < 0 ? 5 : base), tail };
    return {
      modrm: (mod << 6) | 4,
      tail: [(scale << 6) | ((index < 0 ? 4 : index) << 3) | (base < 0 ? 5 : base), ...tail],
    };
  }

  private solve16(pickOffset: (segment: number) => number): ModRm {
    const { dice, registers, pinned } = this;
    const rm = dice.below(8);
    const used: number[] = [[EBX, ESI], [EBX, EDI], [EBP, ESI], [EBP, EDI], [ESI], [EDI], [EBP], [EBX]][rm]!;
    let mod = dice.below(3);
    const direct = rm === 6 && mod === 0;
    const movable = direct ? undefined : used.find((register) => !pinned.has(register));
    if (!direct && movable === undefined) mod = 2;
    const segment = this.override >= 0 ? this.override : !direct && used.includes(EBP) ? SS : DS;
    const wanted = pickOffset(segment) - this.displaced;
    let displacement = mod === 1 ? (dice.word() << 24) >> 24 : mod === 2 ? dice.word() & 0xffff : 0;
    const sum = (): number => (direct ? 0 : used.reduce((total, register) => total + registers[register]!, 0));
    if (movable === undefined) displacement = wanted - sum();
    else {
      const change = wanted - displacement - sum();
      registers[movable] = ((registers[movable]! & ~0xffff) | ((registers[movable]! + change) & 0xffff)) >>> 0;
    }
    if (!direct) for (const register of used) pinned.add(register);
    this.memoryLinear = this.linear(segment, (wanted + this.displaced) & 0xffff);
    const bytes = direct || mod === 2 ? 2 : mod;
    return { modrm: (mod << 6) | rm, tail: Array.from({ length: bytes }, (_, i) => (displacement >> (8 * i)) & 0xff) };
  }

  /** Prefixes in random order, some of them without meaning. */
  prefixes(repeatAllowed: boolean, lock: boolean): number[] {
    const { dice, shape } = this;
    const out: number[] = [];
    if (shape.operandPrefix) out.push(0x66);
    if (shape.addressPrefix) out.push(0x67);
    if (this.override >= 0) out.push(OVERRIDES[this.override]!);
    if (shape.repeat > 0) out.push(shape.repeat === 1 ? 0xf3 : 0xf2);
    else if (repeatAllowed && oneIn(dice, 64)) out.push(0xf2 + dice.below(2));
    if (lock) out.push(0xf0);
    for (let i = out.length - 1; i > 0; i--) {
      const j = dice.below(i + 1);
      [out[i], out[j]] = [out[j]!, out[i]!];
    }
    return out;
  }
}
