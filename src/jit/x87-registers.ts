import type { Builder, Value } from '../isa/builder.js';
import type { Float80Value, X87RoutineName, X87Store } from '../isa/x87-stack.js';
import { TrackedX87Stack } from '../isa/x87-tracked-stack.js';
import { USUAL_ROUTINES } from '../cpu/x87-unit/routines.js';
import { CS, DS, SEGMENT, STATE, X87_EXCHANGE } from '../memory/layout.js';
import { OP } from '../wasm/code.js';
import * as n from './node.js';
import { KIND, type Node } from './node.js';
import {
  type AccessSize,
  FPU_CS,
  FPU_DP,
  FPU_DS,
  FPU_IP,
  FPU_STATUS,
  FPU_TAG,
  FPU_TOP,
  type Place,
  type StackRequirement,
  type Step,
  type StoreStateStep,
} from './steps.js';

/** What is needed of the `BlockBuilder`. */
interface Owner extends Builder {
  readonly steps: Step[];
  readonly variables: Node[];
  readonly place: Place;
  /** The reason to leave the instruction to the interpreter. */
  readonly interpreted: number;
  /** What follows may change the state. */
  settle(): void;
  /** Finds out, once in a block, whether all exceptions are masked. */
  checkMasks(): void;
  loadState(offset: number, size: AccessSize, base?: Node): Node;
  leave(condition: Node, reason: number): void;
}

const C1 = 0x200;
/** Precision and rounding in the control word. */
const MODES = 0xf00;
const ORDINARY_MODES = 0x300;
const PRECISION = 0x20;
const EVERYTHING = 0xffff;

/**
 * The x87's registers in a block. TOP is not known, but how far it has moved since the block began; registers are
 * numbered from where it was then. Their values stay in nodes: what has changed is stored where the block ends, where
 * it is left (`pending`), and before somebody else looks.
 *
 * Which registers hold something is found out where it is first asked, for all that the block will ask.
 */
export class X87Registers extends TrackedX87Stack {
  /** The variables as this class has last set them; if they are different, all that is known here is out of date. */
  private top: Node | undefined;
  private tag: Node | undefined;
  /** TOP and tags at the beginning. */
  private firstTop!: Node;
  private firstTag!: Node;
  /** Tags, with the first ST(0)'s in the lowest bits. */
  private tags!: Node;
  private requirement: StackRequirement | undefined;
  /** Sets of registers that hold something, and of those that are empty, as far as is known. */
  private full = 0;
  private empty = 0;
  private values: (Float80Value | undefined)[] = [];
  private offsets: (Node | undefined)[] = [];
  /** The set of registers whose values are not stored yet. */
  private changed = 0;
  private snapshot: readonly StoreStateStep[] = [];
  private cs: Node | undefined;
  private ds: Node | undefined;
  /** Of a `TrustStep`: when it was made for this status word, and how many steps there were when it was last used. */
  private trust: Node | undefined;
  private trustedStatus: Node | undefined;
  private trustedSteps = 0;
  /** Significands of values that are ordinary as long as there is trust. */
  private readonly trusted = new WeakSet<Node>();
  private readonly stored = new WeakMap<Float80Value, { routine: X87Store; bits: Value }>();

  constructor(private readonly owner: Owner) {
    super(owner);
  }

  // --- for the block builder ------------------------------------------------------------------

  /** Stores that have to be done if the block is left now. */
  pending(): readonly StoreStateStep[] {
    if (this.changed !== 0 && this.snapshot.length === 0) {
      this.snapshot = this.values.flatMap((value, register) =>
        value && this.changed & (1 << register) ? this.storesOf(register, value) : [],
      );
    }
    return this.snapshot;
  }

  private storesOf(register: number, { significand, exponent }: Float80Value): StoreStateStep[] {
    const base = this.offsetOf(register);
    return [
      { kind: 'storeState', base, offset: STATE.fpuRegisters, size: 64, value: significand as Node },
      { kind: 'storeState', base, offset: STATE.fpuRegisters + 8, size: 16, value: exponent as Node },
    ];
  }

  /** Stores everything: the block ends, or something else uses the registers. */
  flush(): void {
    if (this.changed === 0) return;
    this.owner.settle();
    this.owner.steps.push(...this.pending());
    this.changed = 0;
    this.snapshot = [];
  }

  /** A helper follows, which may load segment registers. */
  flushForHelper(): void {
    this.flush();
    this.cs = this.ds = undefined;
  }

  /** The instruction is complete: sets TOP and tags. */
  finish(): void {
    if (!this.top) return;
    const { variables } = this.owner;
    if (variables[FPU_TOP] !== this.top || variables[FPU_TAG] !== this.tag) return;
    this.top = variables[FPU_TOP] = this.moved === 0 ? this.firstTop : low3(add(this.firstTop, this.moved));
    this.tag = variables[FPU_TAG] = this.tagWord();
  }

  private tagWord(): Node {
    const { full = 0, empty = 0 } = this.requirement ?? {};
    const different = (this.full & ~full) | (this.empty & ~empty);
    if (different === 0) return this.firstTag;
    let tags = and(this.tags, EVERYTHING & ~tagsOf(different));
    if (this.empty & different) tags = n.binary(OP.i32_or, tags, n.constant(tagsOf(this.empty & different)));
    const shifted = n.binary(OP.i32_shl, tags, n.binary(OP.i32_shl, this.firstTop, n.constant(1)));
    return and(n.binary(OP.i32_or, shifted, n.binary(OP.i32_shr_u, shifted, n.constant(16))), EVERYTHING);
  }

  /** Begins anew if somebody else has changed TOP or tags. */
  private synchronize(): void {
    const { variables } = this.owner;
    if (this.top && variables[FPU_TOP] === this.top && variables[FPU_TAG] === this.tag) return;
    this.flush();
    this.top = this.firstTop = variables[FPU_TOP]!;
    this.tag = this.firstTag = variables[FPU_TAG]!;
    const twice = n.binary(OP.i32_or, this.firstTag, n.binary(OP.i32_shl, this.firstTag, n.constant(16)));
    this.tags = n.binary(OP.i32_shr_u, twice, n.binary(OP.i32_shl, this.firstTop, n.constant(1)));
    this.requirement = undefined;
    this.full = this.empty = this.moved = 0;
    this.values = [];
    this.offsets = [];
  }

  // --- registers ------------------------------------------------------------------------------

  private offsetOf(register: number): Node {
    const first = n.binary(OP.i32_shl, this.firstTop, n.constant(4));
    return (this.offsets[register] ??= and(add(first, 16 * register), 0x70));
  }

  attempt(meaning: () => void): void {
    meaning();
  }

  protected get status(): Value {
    return this.owner.variables[FPU_STATUS]!;
  }
  protected set status(value: Value) {
    const { variables } = this.owner;
    if (this.trustedStatus === variables[FPU_STATUS]) this.trustedStatus = value as Node;
    variables[FPU_STATUS] = value as Node;
  }

  begin(full: readonly number[], empty: readonly number[], keepsC1 = false): void {
    const { owner } = this;
    const { variables } = owner;
    owner.checkMasks();
    this.synchronize();
    for (const index of full) this.expect(1 << this.registerOf(index), 0);
    for (const index of empty) this.expect(0, 1 << this.registerOf(index));
    if (!keepsC1) this.status = and(variables[FPU_STATUS]!, ~C1);
    variables[FPU_IP] = n.constant(owner.place.eip);
    if (!this.cs || variables[FPU_CS] !== this.cs) this.cs = variables[FPU_CS] = this.selector(CS);
  }

  private selector(segment: number): Node {
    return this.owner.loadState(STATE.segments + segment * SEGMENT.stride + SEGMENT.selector, 32);
  }

  private expect(full: number, empty: number): void {
    if ((full & ~this.full) === 0 && (empty & ~this.empty) === 0) return;
    if (full & this.empty || empty & this.full) {
      this.owner.leave(n.constant(1), this.owner.interpreted);
    } else {
      if (!this.requirement) {
        this.requirement = { full: 0, empty: 0 };
        const { place, interpreted: reason } = this.owner;
        this.owner.steps.push({ kind: 'stack', tags: this.tags, requirement: this.requirement, reason, place });
      }
      this.requirement.full |= full;
      this.requirement.empty |= empty;
    }
    this.know(full, empty);
  }

  protected know(full: number, empty: number): void {
    this.full = (this.full | full) & ~empty;
    this.empty = (this.empty | empty) & ~full;
  }

  refuse(condition: Value): void {
    this.owner.leave(condition as Node, this.owner.interpreted);
  }

  noteOperand(linear: Value): void {
    const { variables } = this.owner;
    variables[FPU_DP] = linear as Node;
    if (!this.ds || variables[FPU_DS] !== this.ds) this.ds = variables[FPU_DS] = this.selector(DS);
  }

  get(index: number): Float80Value {
    const register = this.registerOf(index);
    let value = this.values[register];
    if (!value) {
      const base = this.offsetOf(register);
      const significand = this.owner.loadState(STATE.fpuRegisters, 64, base);
      value = { significand, exponent: this.owner.loadState(STATE.fpuRegisters + 8, 16, base) };
      this.values[register] = value;
    }
    return value;
  }

  set(index: number, value: Float80Value): void {
    const register = this.registerOf(index);
    this.keep(value.significand as Node);
    this.keep(value.exponent as Node);
    this.values[register] = value;
    this.changed |= 1 << register;
    this.snapshot = [];
    this.know(1 << register, 0);
  }

  /** Computes it now: it is likely to be wanted more than once. */
  private keep(node: Node): void {
    if (node.kind === KIND.unary || node.kind === KIND.binary || node.kind === KIND.select)
      this.owner.steps.push({ kind: 'keep', node });
  }

  // --- routines -------------------------------------------------------------------------------

  private call(routine: X87RoutineName, operands: readonly Float80Value[], ...results: Node[]): void {
    const args = operands.flatMap(({ significand, exponent }) => [significand as Node, exponent as Node]);
    const trust = USUAL_ROUTINES.has(routine) ? this.trustIn(operands) : undefined;
    this.owner.steps.push({ kind: 'call', routine, args, results, trust });
    // What is not ordinary has put an end to trust.
    if (trust && results.length === 3) this.trusted.add(results[0]!);
  }

  protected callForValue(
    routine: X87RoutineName,
    operands: readonly Float80Value[],
  ): { value: Float80Value; flags: Node } {
    const value = { significand: n.result(true, 64), exponent: n.result(false, 16) };
    const flags = n.result(false, 16);
    this.call(routine, operands, value.significand, value.exponent, flags);
    return { value, flags };
  }

  protected callForBits(routine: X87Store, value: Float80Value): { bits: Node; flags: Node } {
    const bits = n.result(true, 64);
    const flags = n.result(false, 16);
    this.call(routine, [value], bits, flags);
    return { bits, flags };
  }

  protected callForFlags(routine: X87RoutineName, operands: readonly Float80Value[]): Node {
    const found = n.result(false, 16);
    this.call(routine, operands, found);
    return found;
  }

  secondResult(): Float80Value {
    // At a known place, but not of the state: it is read anew every time.
    const base = n.constant(X87_EXCHANGE.second);
    return { significand: this.owner.loadState(0, 64, base), exponent: this.owner.loadState(8, 16, base) };
  }

  override store(routine: X87Store, value: Float80Value): Value {
    const known = this.stored.get(value);
    return known?.routine === routine ? known.bits : super.store(routine, value);
  }

  override fromSingle(bits: Value): Float80Value {
    const value = this.convert('single', bits);
    this.stored.set(value, { routine: 'toSingle', bits: this.builder.toWideU(bits) });
    return value;
  }

  override fromDouble(bits: Value): Float80Value {
    const value = this.convert('double', bits);
    this.stored.set(value, { routine: 'toDouble', bits });
    return value;
  }

  private convert(format: 'single' | 'double', bits: Value): Float80Value {
    const significand = n.result(true, 64);
    const exponent = n.result(false, 16);
    const { place, interpreted: reason, steps } = this.owner;
    steps.push({ kind: 'convert', format, bits: bits as Node, significand, exponent, place, reason });
    const value = { significand, exponent };
    this.noteOrdinary(value);
    return value;
  }

  // --- trust ----------------------------------------------------------------------------------

  override noteOrdinary({ significand }: Float80Value): void {
    this.trusted.add(significand as Node);
  }

  /** Sees to it that usual cases with these operands may be tried. */
  private trustIn(operands: readonly Float80Value[]): Node {
    const { owner } = this;
    const { variables } = owner;
    if (!this.trust || this.trustedStatus !== variables[FPU_STATUS] || this.modesMayHaveChanged()) {
      const control = owner.loadState(STATE.fpuControl, 32);
      const modes = n.binary(OP.i32_xor, and(control, MODES), n.constant(ORDINARY_MODES));
      const exact = n.binary(OP.i32_xor, and(variables[FPU_STATUS]!, PRECISION), n.constant(PRECISION));
      const result = n.result(true, 64);
      owner.steps.push({
        kind: 'trust',
        result,
        doubts: n.binary(OP.i32_or, modes, exact),
        before: this.trust,
      });
      this.trust = result;
      this.trustedStatus = variables[FPU_STATUS];
    }
    for (const { significand, exponent } of operands as { significand: Node; exponent: Node }[]) {
      if (significand.isConstant || this.trusted.has(significand)) continue;
      owner.steps.push({ kind: 'distrust', trust: this.trust, significand, exponent });
      this.trusted.add(significand);
    }
    this.trustedSteps = owner.steps.length;
    return this.trust;
  }

  /** Since trust was last asked for: rare, so that any store to the state under a condition counts. */
  private modesMayHaveChanged(): boolean {
    const { steps } = this.owner;
    for (let i = this.trustedSteps; i < steps.length; i++) {
      const step = steps[i]!;
      if (step.kind === 'branch' || step.kind === 'helper') return true;
      if (step.kind === 'storeState' && step.offset === STATE.fpuControl) return true;
    }
    return false;
  }
}

function add(a: Node, b: number): Node {
  return n.binary(OP.i32_add, a, n.constant(b));
}
function and(a: Node, mask: number): Node {
  return n.binary(OP.i32_and, a, n.constant(mask));
}
function low3(a: Node): Node {
  return and(a, 7);
}

/** The tags, both bits of each, of a set of registers. */
export function tagsOf(registers: number): number {
  let tags = 0;
  for (let register = 0; register < 8; register++) if (registers & (1 << register)) tags |= 3 << (2 * register);
  return tags;
}
