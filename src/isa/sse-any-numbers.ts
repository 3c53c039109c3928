import type { Builder, Value } from './builder.js';
import type { SseKind } from './sse-arithmetic.js';
import { isModeOrdinary, isZeroAt, lanesOf, magnitude, pattern, PRECISION_FLAG } from './sse-fast.js';
import type { LowestOperation } from './vector.js';

/**
 * Floating-point instructions without helpers where infinities, NaNs and denormals are nothing special
 * (`Builder.anyNumbers`). The flags in MXCSR are sticky: where all those that an instruction may raise are set already,
 * it raises nothing. So code that meets such numbers all the time needs the helper a few times only.
 */

/** Flags of MXCSR by bit, and the modes in which denormals are zeros. */
const INVALID = 0;
const DENORMAL = 1;
const DIVIDE = 2;
const OVERFLOW = 3;
const UNDERFLOW = 4;
const DENORMALS_ARE_ZEROS = 6;
const FLUSH_TO_ZERO = 15;

/** Vectors of masks: where each exception may come up. */
interface Causes {
  readonly invalid: Value;
  readonly denormal: Value;
  readonly divide?: Value;
  readonly overflow?: Value;
  readonly underflow?: Value;
  /** Denormal results that are exact. */
  readonly tiny?: Value;
}

function quietBit(kind: SseKind): bigint {
  return lanesOf(kind).width === 32 ? 1n << 22n : 1n << 51n;
}

function above(b: Builder, kind: SseKind, x: Value, limit: bigint): Value {
  return b.vector(lanesOf(kind).greater, magnitude(b, kind, x), pattern(b, kind, limit));
}

function below(b: Builder, kind: SseKind, x: Value, limit: bigint): Value {
  return b.vector(lanesOf(kind).greater, pattern(b, kind, limit), magnitude(b, kind, x));
}

function isNaNAt(b: Builder, kind: SseKind, x: Value): Value {
  return above(b, kind, x, lanesOf(kind).infinity);
}

function isSignalingAt(b: Builder, kind: SseKind, x: Value): Value {
  return b.vector('v128_and', isNaNAt(b, kind, x), below(b, kind, x, lanesOf(kind).infinity | quietBit(kind)));
}

function isDenormalAt(b: Builder, kind: SseKind, x: Value): Value {
  const small = below(b, kind, x, lanesOf(kind).belowNormal + 1n);
  return b.vector('v128_and', small, above(b, kind, x, 0n));
}

function isInfiniteAt(b: Builder, kind: SseKind, x: Value): Value {
  const { sameBits, infinity } = lanesOf(kind);
  return b.vector(sameBits, magnitude(b, kind, x), pattern(b, kind, infinity));
}

function either(b: Builder, x: Value, y: Value): Value {
  return b.vector('v128_or', x, y);
}

/** Whether MXCSR is such that none of these changes anything. */
function areSettled(b: Builder, causes: Causes): Value {
  const mxcsr = b.state('mxcsr');
  const some = (mask: Value, bit: number): Value => b.shl(b.vector('v128_any_true', mask), b.const(bit));
  const { invalid, denormal, divide, overflow, underflow, tiny } = causes;
  let needed = some(invalid, INVALID);
  for (const [mask, bit] of [
    [denormal, DENORMAL],
    [divide, DIVIDE],
    [overflow, OVERFLOW],
    [underflow, UNDERFLOW],
  ] as const) {
    if (mask) needed = b.or(needed, some(mask, bit));
  }
  let wrong = b.and(needed, b.not(mxcsr));
  wrong = b.or(wrong, b.and(mxcsr, some(denormal, DENORMALS_ARE_ZEROS)));
  for (const mask of [underflow, tiny]) if (mask) wrong = b.or(wrong, b.and(mxcsr, some(mask, FLUSH_TO_ZERO)));
  return b.and(isModeOrdinary(b), b.isZero(wrong));
}

/** `result` with the NaNs that an SSE instruction makes of operands x (not there: only one) and y. */
export function withRightNaNs(b: Builder, kind: SseKind, x: Value | undefined, y: Value, result: Value): Value {
  const quiet = quietBit(kind);
  const { infinity, magnitude: all } = lanesOf(kind);
  const indefinite = pattern(b, kind, (all + 1n) | infinity | quiet);
  let right = b.vector('v128_bitselect', y, indefinite, isNaNAt(b, kind, y));
  if (x) right = b.vector('v128_bitselect', x, right, isNaNAt(b, kind, x));
  right = b.vector('v128_or', right, pattern(b, kind, quiet));
  return b.vector('v128_bitselect', right, result, isNaNAt(b, kind, result));
}

/** Whether x op y raises nothing new. `x` is not there for a root. */
export function isArithmeticSettled(
  b: Builder,
  kind: SseKind,
  operation: LowestOperation,
  x: Value | undefined,
  y: Value,
  result: Value,
): Value {
  const { belowSafe, infinity } = lanesOf(kind);
  const operands = x ? [x, y] : [y];
  const each = (test: (b: Builder, kind: SseKind, x: Value) => Value): Value =>
    operands.map((operand) => test(b, kind, operand)).reduce((all, mask) => either(b, all, mask));
  const fresh = b.vector('v128_andnot', isNaNAt(b, kind, result), each(isNaNAt));
  const invalid = either(b, fresh, each(isSignalingAt));
  const denormal = each(isDenormalAt);
  const precise = b.and(b.state('mxcsr'), b.const(PRECISION_FLAG));
  const causes: { -readonly [name in keyof Causes]: Causes[name] } = { invalid, denormal };
  if (x) {
    // From numbers: by overflow, or by a division by zero.
    let overflow = b.vector('v128_and', isInfiniteAt(b, kind, result), below(b, kind, x, infinity));
    overflow = b.vector('v128_and', overflow, below(b, kind, y, infinity));
    if (operation === 'div') {
      causes.divide = b.vector('v128_and', overflow, isZeroAt(b, kind, y));
      overflow = b.vector('v128_andnot', overflow, isZeroAt(b, kind, y));
    }
    causes.overflow = overflow;
    if (operation === 'add' || operation === 'sub') causes.tiny = isDenormalAt(b, kind, result);
    else {
      const fromZero = operation === 'mul' ? isZeroAt(b, kind, y) : isInfiniteAt(b, kind, y);
      const right = either(b, isZeroAt(b, kind, x), fromZero);
      causes.underflow = b.vector('v128_andnot', below(b, kind, result, belowSafe + 1n), right);
    }
  }
  return b.and(areSettled(b, causes), b.ne(precise, b.const(0)));
}

/** Whether comparing raises nothing new. `signaling`: a vector of masks, where quiet NaNs are invalid too. */
export function isComparisonSettled(b: Builder, kind: SseKind, signaling: Value, x: Value, y: Value): Value {
  const quiet = b.vector('v128_and', signaling, either(b, isNaNAt(b, kind, x), isNaNAt(b, kind, y)));
  return areSettled(b, {
    invalid: either(b, quiet, either(b, isSignalingAt(b, kind, x), isSignalingAt(b, kind, y))),
    denormal: either(b, isDenormalAt(b, kind, x), isDenormalAt(b, kind, y)),
  });
}

/** Where x and y are unordered. */
export function areUnorderedAt(b: Builder, kind: SseKind, x: Value, y: Value): Value {
  return either(b, isNaNAt(b, kind, x), isNaNAt(b, kind, y));
}
