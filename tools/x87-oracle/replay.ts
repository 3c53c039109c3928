/**
 * Answers the oracle's questions with `src/fpu`.
 *
 * This is the thinnest possible instruction layer: a stack of two values, no
 * tags, no pending faults. Its numbering of operations is that of `oracle.c`.
 */

import * as fpu from '../../src/fpu/index.js';

export const questionBytes = 24;
export const answerBytes = 36;

/** One machine state as an instruction sees it. Index 0 of `stack` is ST(0). */
interface State {
  readonly env: fpu.FpuEnvironment;
  readonly stack: fpu.Float80[];
  top: number;
  readonly memory: DataView;
  flags: number;
}

export interface Operation {
  readonly name: string;
  /** What the ST(1) bytes are: a register, or a memory operand of so many bits. */
  readonly operand: 'none' | 'register' | 'float32' | 'float64' | 'int16' | 'int32' | 'int64' | 'decimal' | 'float80';
  /** ST(0) is an operand. */
  readonly usesTop: boolean;
  /** Correct to one unit in the last place is all that any processor promises. */
  readonly transcendental: boolean;
  readonly run: (state: State) => void;
}

function setTop(state: State, value: fpu.Float80): void {
  if (!state.env.suppressed) state.stack[0] = value;
}

function push(state: State, value: fpu.Float80): void {
  if (state.env.suppressed) return;
  state.stack.unshift(value);
  state.top--;
}

function pop(state: State): void {
  if (state.env.suppressed) return;
  state.stack.shift();
  state.top++;
}

type Binary = (env: fpu.FpuEnvironment, a: fpu.Float80, b: fpu.Float80) => fpu.Float80;
type Unary = (env: fpu.FpuEnvironment, a: fpu.Float80) => fpu.Float80;
type Operand = Operation['operand'];

function operation(name: string, operand: Operand, usesTop: boolean, run: (state: State) => void): Operation {
  return { name, operand, usesTop, transcendental: false, run };
}

function unary(name: string, compute: Unary): Operation {
  return operation(name, 'none', true, (state) => setTop(state, compute(state.env, state.stack[0]!)));
}

function readOperand(state: State, operand: Operand): fpu.Float80 {
  const { env, memory, stack } = state;
  switch (operand) {
    case 'float32':
      return fpu.operandFromFloat32(env, memory.getUint32(0, true));
    case 'float64':
      return fpu.operandFromFloat64(env, memory.getBigUint64(0, true));
    case 'int16':
      return fpu.fromNumber(memory.getInt16(0, true));
    case 'int32':
      return fpu.fromNumber(memory.getInt32(0, true));
    case 'int64':
      return fpu.fromInteger(memory.getBigInt64(0, true));
    case 'decimal':
      return fpu.fromPackedDecimal(memory.getBigUint64(0, true), memory.getUint16(8, true));
    case 'float80':
      return fpu.readFloat80(memory, 0);
    default:
      return stack[1]!;
  }
}

function binary(name: string, operand: Operand, compute: Binary, reversed = false): Operation {
  return operation(name, operand, true, (state) => {
    const a = state.stack[0]!;
    const b = readOperand(state, operand);
    setTop(state, reversed ? compute(state.env, b, a) : compute(state.env, a, b));
  });
}

function comparison(name: string, operand: Operand, quiet: boolean, toFlags: boolean): Operation {
  return operation(name, operand, true, (state) => {
    const relation = fpu.compare(state.env, state.stack[0]!, readOperand(state, operand), quiet);
    if (toFlags) state.flags = fpu.flagsFromRelation(relation);
    else fpu.setConditionsFromRelation(state.env, relation);
  });
}

function load(name: string, operand: Operand, compute: (state: State) => fpu.Float80): Operation {
  return operation(name, operand, false, (state) => push(state, compute(state)));
}

function constant(name: string, which: fpu.ConstantName): Operation {
  return load(name, 'none', ({ env }) => fpu.constant(which, env.rounding));
}

function storeInteger(name: string, width: fpu.IntegerWidth, popping: boolean, truncating: boolean): Operation {
  return operation(name, `int${width}`, true, (state) => {
    const { env, memory } = state;
    const value = fpu.toInteger(env, state.stack[0]!, width, truncating ? fpu.roundTowardZero : env.rounding);
    if (env.suppressed) return;
    if (width === 16) memory.setInt16(0, Number(value), true);
    else if (width === 32) memory.setInt32(0, Number(value), true);
    else memory.setBigInt64(0, value, true);
    if (popping) pop(state);
  });
}

const test: Operation = operation('ftst', 'none', true, ({ env, stack }) =>
  fpu.setConditionsFromRelation(env, fpu.compare(env, stack[0]!, fpu.positiveZero, false)),
);

const storeFloat32: Operation = operation('fst m32', 'float32', true, ({ env, stack, memory }) => {
  const bits = fpu.toFloat32(env, stack[0]!);
  if (!env.suppressed) memory.setUint32(0, bits, true);
});

const storeFloat64: Operation = operation('fst m64', 'float64', true, ({ env, stack, memory }) => {
  const bits = fpu.toFloat64(env, stack[0]!);
  if (!env.suppressed) memory.setBigUint64(0, bits, true);
});

const storeDecimal: Operation = operation('fbstp', 'decimal', true, (state) => {
  const { low, high } = fpu.toPackedDecimal(state.env, state.stack[0]!);
  if (state.env.suppressed) return;
  state.memory.setBigUint64(0, low, true);
  state.memory.setUint16(8, high, true);
  pop(state);
});

const storeFloat80: Operation = operation('fstp m80', 'float80', true, (state) => {
  fpu.writeFloat80(state.memory, 0, state.stack[0]!);
  pop(state);
});

const extract: Operation = operation('fxtract', 'none', true, (state) => {
  const { exponent, significand } = fpu.extract(state.env, state.stack[0]!);
  setTop(state, exponent);
  push(state, significand);
});

function transcendental(name: string, operand: Operand, run: (state: State) => void): Operation {
  return { ...operation(name, operand, true, run), transcendental: true };
}

/** FYL2X, FYL2XP1 and FPATAN replace ST(1) and pop. */
function poppingBinary(name: string, compute: Binary): Operation {
  return transcendental(name, 'register', (state) => {
    const result = compute(state.env, state.stack[0]!, state.stack[1]!);
    pop(state);
    setTop(state, result);
  });
}

/** FSINCOS and FPTAN replace ST(0) and push, unless the operand was out of range. */
function pushingUnary(name: string, compute: (state: State) => readonly [fpu.Float80, fpu.Float80]): Operation {
  return transcendental(name, 'none', (state) => {
    const [result, pushed] = compute(state);
    if ((state.env.status & fpu.conditionC2) !== 0) return;
    setTop(state, result);
    push(state, pushed);
  });
}

/** In the numbering of `oracle.c`. */
export const operations: readonly Operation[] = [
  binary('fadd', 'register', fpu.add),
  binary('fsub', 'register', fpu.subtract),
  binary('fsubr', 'register', fpu.subtract, true),
  binary('fmul', 'register', fpu.multiply),
  binary('fdiv', 'register', fpu.divide),
  binary('fdivr', 'register', fpu.divide, true),
  unary('fsqrt', fpu.squareRoot),
  binary('fprem', 'register', fpu.partialRemainder),
  binary('fprem1', 'register', fpu.partialRemainderNearest),
  unary('frndint', fpu.roundToInteger),
  binary('fscale', 'register', fpu.scale),
  extract,
  comparison('fcom', 'register', false, false),
  comparison('fucom', 'register', true, false),
  comparison('fcomi', 'register', false, true),
  comparison('fucomi', 'register', true, true),
  test,
  operation('fxam', 'none', true, ({ env, stack }) => fpu.examine(env, stack[0]!, false)),
  unary('fabs', (_, value) => fpu.absolute(value)),
  unary('fchs', (_, value) => fpu.negate(value)),
  load('fld m32', 'float32', ({ env, memory }) => fpu.loadFloat32(env, memory.getUint32(0, true))),
  load('fld m64', 'float64', ({ env, memory }) => fpu.loadFloat64(env, memory.getBigUint64(0, true))),
  load('fild m16', 'int16', (state) => readOperand(state, 'int16')),
  load('fild m32', 'int32', (state) => readOperand(state, 'int32')),
  load('fild m64', 'int64', (state) => readOperand(state, 'int64')),
  load('fbld', 'decimal', (state) => readOperand(state, 'decimal')),
  storeFloat32,
  storeFloat64,
  storeInteger('fist m16', 16, false, false),
  storeInteger('fist m32', 32, false, false),
  storeInteger('fistp m64', 64, true, false),
  storeInteger('fisttp m16', 16, true, true),
  storeInteger('fisttp m32', 32, true, true),
  storeInteger('fisttp m64', 64, true, true),
  storeDecimal,
  constant('fld1', 'one'),
  constant('fldl2t', 'log2Of10'),
  constant('fldl2e', 'log2OfE'),
  constant('fldpi', 'pi'),
  constant('fldlg2', 'log10Of2'),
  constant('fldln2', 'lnOf2'),
  constant('fldz', 'zero'),
  { ...unary('f2xm1', fpu.exponentialMinusOne), transcendental: true },
  poppingBinary('fyl2x', fpu.logarithm),
  poppingBinary('fyl2xp1', fpu.logarithmPlusOne),
  pushingUnary('fptan', ({ env, stack }) => {
    const result = fpu.tangent(env, stack[0]!);
    return [result, fpu.tangentPush(result)];
  }),
  poppingBinary('fpatan', fpu.arctangent),
  { ...unary('fsin', fpu.sine), transcendental: true },
  { ...unary('fcos', fpu.cosine), transcendental: true },
  pushingUnary('fsincos', ({ env, stack }) => {
    const { sine, cosine } = fpu.sineAndCosine(env, stack[0]!);
    return [sine, cosine];
  }),
  binary('fadd m32', 'float32', fpu.add),
  binary('fadd m64', 'float64', fpu.add),
  binary('fsubr m32', 'float32', fpu.subtract, true),
  binary('fmul m64', 'float64', fpu.multiply),
  binary('fdiv m32', 'float32', fpu.divide),
  binary('fdivr m64', 'float64', fpu.divide, true),
  comparison('fcom m32', 'float32', false, false),
  comparison('fcom m64', 'float64', false, false),
  binary('fiadd m16', 'int16', fpu.add),
  binary('fimul m32', 'int32', fpu.multiply),
  binary('fidiv m32', 'int32', fpu.divide),
  comparison('ficom m16', 'int16', false, false),
  storeFloat80,
  load('fld m80', 'float80', (state) => readOperand(state, 'float80')),
];

/** What `src/fpu` makes of a question, in the format of an answer. The tag word stays zero. */
export function replay(question: Uint8Array): Uint8Array {
  const input = new DataView(question.buffer, question.byteOffset, questionBytes);
  const answer = new Uint8Array(answerBytes);
  answer.set(question.subarray(14, 24), 0);
  const output = new DataView(answer.buffer);
  const env = new fpu.FpuEnvironment();
  const codes = input.getUint8(1);
  env.control = input.getUint16(2, true);
  env.status = ((codes & 7) << 8) | ((codes & 8) << 11);
  const state: State = {
    env,
    stack: [fpu.readFloat80(input, 4), fpu.readFloat80(input, 14), fpu.positiveZero],
    top: 6,
    memory: output,
    flags: 0,
  };
  const { run } = operations[input.getUint8(0)]!;
  env.begin();
  run(state);
  output.setUint16(10, env.statusWord(state.top), true);
  fpu.writeFloat80(output, 14, state.stack[0]!);
  fpu.writeFloat80(output, 24, state.stack[1]!);
  output.setUint16(34, state.flags, true);
  return answer;
}
