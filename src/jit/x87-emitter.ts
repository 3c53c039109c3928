import type { X87RoutineName } from '../isa/x87-stack.js';
import { FLAGS_SHIFT } from '../cpu/x87-unit/rounding.js';
import { usualCase } from '../cpu/x87-unit/routines.js';
import { fromNarrow, trustworthy } from '../cpu/x87-unit/usual.js';
import { type Code, I32, I64, OP } from '../wasm/code.js';
import { type Local, type Operand, RoutineBuilder } from '../wasm/routine.js';
import type { Node } from './node.js';
import type { CallStep, ConvertStep, DistrustStep, Place, TrustStep } from './steps.js';

/** What is needed of the `BlockEmitter`. */
interface Owner {
  readonly code: Code;
  /** Function index of a routine. */
  routine(name: X87RoutineName): number;
  push(node: Node): void;
  /** Gives the node a local, which its value is about to be put into. */
  compute(node: Node): number;
  operand(node: Node): Operand;
  allocate(type: number): number;
  scoped(emit: () => void): void;
  block(emit: (branch: (opcode: number) => void) => void): void;
  leaveIf(place: Place, reason: number): void;
}

/** Code for the steps of x87 arithmetic. */
export class X87Emitter {
  constructor(private readonly owner: Owner) {}

  private routineBuilder(): RoutineBuilder {
    const { owner } = this;
    return new RoutineBuilder(owner.code, [], (type) => owner.allocate(type));
  }

  trust({ result, doubts, before }: TrustStep): void {
    const { owner } = this;
    const r = this.routineBuilder();
    const trust = r.sub(r.toWide(owner.operand(doubts)), 1n);
    r.assign({ type: I64, index: owner.compute(result) }, before ? r.and(trust, owner.operand(before)) : trust);
  }

  distrust({ trust, significand, exponent }: DistrustStep): void {
    const { owner } = this;
    owner.scoped(() => {
      const [m, e] = [owner.operand(significand), owner.operand(exponent)];
      this.trustOnly(this.routineBuilder(), trust, m, e);
    });
  }

  /** No more trust if the value is not to be trusted. */
  private trustOnly(r: RoutineBuilder, trust: Node, m: Operand, e: Operand): void {
    const local = { type: I64, index: trust.local };
    r.assign(local, r.and(local, trustworthy(r, m, e)));
  }

  /** Computes the usual case here, and calls the routine if it is not the case. */
  call({ routine, args, results, trust }: CallStep): void {
    const { owner } = this;
    const { code } = owner;
    const locals = results.map((result) => owner.compute(result));
    const callRoutine = (r: RoutineBuilder, operands: readonly Operand[]): void => {
      for (const operand of operands) r.push(operand);
      code.call(owner.routine(routine));
      // Flags are above the exponent, if there is one.
      const flags = locals[locals.length - 1]!;
      code.localTee(flags);
      code.constant(FLAGS_SHIFT);
      code.byte(OP.i32_shr_u);
      if (locals.length === 3) {
        code.localGet(flags);
        code.constant(0xffff);
        code.byte(OP.i32_and);
        code.localSet(locals[1]!);
      }
      code.localSet(flags);
      if (locals.length > 1) code.localSet(locals[0]!);
    };
    owner.scoped(() => {
      const r = this.routineBuilder();
      const operands = args.map((arg) => owner.operand(arg));
      const usual = trust && usualCase(routine, operands, { type: I64, index: trust.local });
      if (!usual) {
        callRoutine(r, operands);
        return;
      }
      r.attempt(
        (demand) => {
          for (const [n, result] of usual(r, demand).entries()) r.assign({ type: 0, index: locals[n]! }, result);
        },
        () => {
          callRoutine(r, operands);
          const [m, e] = locals.map((index, n) => ({ type: n === 0 ? I64 : I32, index })) as [Local, Local];
          if (locals.length === 3) this.trustOnly(r, trust, m, e);
        },
      );
    });
  }

  /** A zero takes longer than other numbers; whatever else there is leaves. */
  convert({ format, bits, significand, exponent, place, reason }: ConvertStep): void {
    const { owner } = this;
    const m: Local = { type: I64, index: owner.compute(significand) };
    const e: Local = { type: I32, index: owner.compute(exponent) };
    owner.scoped(() => {
      const r = this.routineBuilder();
      const from = owner.operand(bits);
      const { value, isNormal, isNotZero, sign } = fromNarrow(r, format, from);
      owner.block((branchToEnd) => {
        r.assign(m, value.significand);
        r.assign(e, value.exponent);
        r.push(isNormal);
        branchToEnd(OP.br_if);
        r.push(isNotZero());
        owner.leaveIf(place, reason);
        r.assign(m, 0n);
        r.assign(e, sign());
      });
    });
  }
}
