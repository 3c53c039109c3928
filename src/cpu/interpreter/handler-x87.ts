import type { Builder, Value } from '../../isa/builder.js';
import type { Float80Value, X87RoutineName, X87Store } from '../../isa/x87-stack.js';
import { TrackedX87Stack } from '../../isa/x87-tracked-stack.js';
import { CS, DS, STATE, X87_EXCHANGE } from '../../memory/layout.js';
import { FLAGS_SHIFT } from '../x87-unit/rounding.js';

/** What is needed of the `HandlerBuilder`. */
export interface X87Handler extends Builder {
  /** Emits `body`, in which `giveUp` goes to what stands behind, and which else ends the handler. */
  attempt(body: () => void): void;
  giveUp(condition: Value): void;
  loadAt(base: Value, offset: number, size: 16 | 64): Value;
  storeAt(base: Value, offset: number, size: 16 | 32 | 64, value: Value): void;
  /** Calls a routine; `wide`: of each result. */
  routine(name: X87RoutineName, args: readonly Value[], wide: readonly boolean[]): Value[];
}

const C1 = 0x200;
const EXCEPTIONS = 0x3f;
const PRECISION = 0x20;
const TAG = 3;

/**
 * The x87's registers in a handler. What an instruction changes is stored at its end, when nothing can go wrong any
 * more.
 */
export class HandlerX87 extends TrackedX87Stack {
  protected status!: Value;
  private control!: Value;
  private top!: Value;
  private tags!: Value;
  /** Sets of registers that hold something and of those that are empty, as far as the tags say so. */
  private tagged = { full: 0, empty: 0 };
  private known = { full: 0, empty: 0 };
  private values: (Float80Value | undefined)[] = [];
  private operand: Value | undefined;

  constructor(private readonly handler: X87Handler) {
    super(handler);
  }

  attempt(meaning: () => void, slowly: () => void): void {
    this.handler.attempt(() => {
      meaning();
      this.commit();
    });
    slowly();
  }

  private commit(): void {
    const { handler: b, known, tagged } = this;
    for (const [register, value] of this.values.entries()) {
      if (!value) continue;
      const base = this.offsetOf(register);
      b.storeAt(base, STATE.fpuRegisters, 64, value.significand);
      b.storeAt(base, STATE.fpuRegisters + 8, 16, value.exponent);
    }
    let tags = this.tags;
    for (let register = 0; register < 8; register++) {
      const bit = 1 << register;
      const tag = (): Value => b.shl(b.const(TAG), this.tagPlace(register));
      if (known.full & ~tagged.full & bit) tags = b.and(tags, b.not(tag()));
      if (known.empty & ~tagged.empty & bit) tags = b.or(tags, tag());
    }
    if (tags !== this.tags) b.setState('fpuTag', tags);
    if (this.moved !== 0) b.setState('fpuTop', this.number(this.moved));
    b.setState('fpuStatus', this.status);
    const zero = b.const(0);
    b.storeAt(zero, STATE.fpuIp, 32, b.thisEip());
    b.storeAt(zero, STATE.fpuCs, 32, b.selector(b.const(CS)));
    if (!this.operand) return;
    b.storeAt(zero, STATE.fpuDp, 32, this.operand);
    b.storeAt(zero, STATE.fpuDs, 32, b.selector(b.const(DS)));
  }

  /** Of a register, counted from where TOP was: its number. */
  private number(register: number): Value {
    const { handler: b, top } = this;
    return register === 0 ? top : b.and(b.add(top, b.const(register)), b.const(7));
  }
  private offsetOf(register: number): Value {
    const { handler: b } = this;
    return b.shl(this.number(register), b.const(4));
  }
  private tagPlace(register: number): Value {
    const { handler: b } = this;
    return b.shl(this.number(register), b.const(1));
  }

  begin(full: readonly number[], empty: readonly number[], keepsC1 = false): void {
    const { handler: b } = this;
    this.control = b.state('fpuControl');
    b.giveUp(b.isZero(b.and(this.control, b.const(PRECISION))));
    this.top = b.state('fpuTop');
    this.tags = b.state('fpuTag');
    for (const register of new Set(full)) b.giveUp(this.tagOf(register));
    for (const register of new Set(empty)) b.giveUp(b.ne(this.tagOf(register), b.const(TAG)));
    this.tagged = { full: setOf(full), empty: setOf(empty) };
    this.known = { ...this.tagged };
    const status = b.state('fpuStatus');
    this.status = keepsC1 ? status : b.and(status, b.const(~C1));
  }

  private tagOf(register: number): Value {
    const { handler: b } = this;
    return b.and(b.shrU(this.tags, this.tagPlace(register)), b.const(TAG));
  }

  refuse(condition: Value): void {
    this.handler.giveUp(condition);
  }

  noteOperand(linear: Value): void {
    this.operand = linear;
  }

  get(index: number): Float80Value {
    const { handler: b } = this;
    const register = this.registerOf(index);
    const value = this.values[register];
    if (value) return value;
    const base = this.offsetOf(register);
    return {
      significand: b.loadAt(base, STATE.fpuRegisters, 64),
      exponent: b.loadAt(base, STATE.fpuRegisters + 8, 16),
    };
  }

  set(index: number, value: Float80Value): void {
    const register = this.registerOf(index);
    this.values[register] = value;
    this.know(1 << register, 0);
  }

  protected know(full: number, empty: number): void {
    this.known = { full: (this.known.full | full) & ~empty, empty: (this.known.empty | empty) & ~full };
  }

  private call(routine: X87RoutineName, operands: readonly Float80Value[], ...wide: boolean[]): Value[] {
    const args = operands.flatMap(({ significand, exponent }) => [significand, exponent]);
    return this.handler.routine(routine, args, wide);
  }

  /** Of what a routine returns last. It takes all exceptions for masked: one that is not is for the helper. */
  private flagsOf(result: Value): Value {
    const { handler: b } = this;
    const flags = b.shrU(result, b.const(FLAGS_SHIFT));
    b.giveUp(b.and(b.and(flags, b.not(this.control)), b.const(EXCEPTIONS)));
    return flags;
  }

  protected callForValue(
    routine: X87RoutineName,
    operands: readonly Float80Value[],
  ): { value: Float80Value; flags: Value } {
    const [significand, exponent] = this.call(routine, operands, true, false) as [Value, Value];
    // What is above the exponent is not stored with it.
    return { value: { significand, exponent }, flags: this.flagsOf(exponent) };
  }

  protected callForBits(routine: X87Store, value: Float80Value): { bits: Value; flags: Value } {
    const [bits, flags] = this.call(routine, [value], true, false) as [Value, Value];
    return { bits, flags: this.flagsOf(flags) };
  }

  protected callForFlags(routine: X87RoutineName, operands: readonly Float80Value[]): Value {
    const [flags] = this.call(routine, operands, false) as [Value];
    return this.flagsOf(flags);
  }

  secondResult(): Float80Value {
    const { handler: b } = this;
    const zero = b.const(0);
    return {
      significand: b.loadAt(zero, X87_EXCHANGE.second, 64),
      exponent: b.loadAt(zero, X87_EXCHANGE.second + 8, 16),
    };
  }
}

function setOf(registers: readonly number[]): number {
  return registers.reduce((set, register) => set | (1 << register), 0);
}
