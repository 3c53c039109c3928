import type { X87RoutineName } from '../../isa/x87-stack.js';
import { X87_EXCHANGE, X87_TABLES } from '../../memory/layout.js';
import { Code, I32, I64 } from '../../wasm/code.js';
import { ModuleBuilder } from '../../wasm/module.js';
import { type Local, type Operand, RoutineBuilder } from '../../wasm/routine.js';
import * as arithmetic from './arithmetic.js';
import * as conversions from './conversions.js';
import { roundingControl } from './rounding.js';
import type { Demand } from './rounding-test.js';
import * as transcendental from './transcendental.js';
import { Trigonometric } from './trigonometric.js';
import { usualProduct, usualRelation, usualSum, usualToDouble } from './usual.js';

/**
 * The arithmetic of the x87 as WebAssembly functions, which regions call with operands in registers. What a routine
 * does not care for (denormals, NaNs, infinities, results out of range) it hands to `src/fpu`, by way of memory.
 *
 * All of them take it for granted that every exception is masked.
 */
interface Routine {
  readonly parameters: readonly number[];
  readonly results: readonly number[];
  /** `exactly` calls the operation of that number in `EXACT_OPERATIONS`, and names its flags (in place). */
  body(r: RoutineBuilder, exactly: (operation: number) => Local): readonly Operand[];
}

type UsualCase = (r: RoutineBuilder, demand: Demand) => readonly Operand[];

/**
 * The usual case of a routine, if it has one: significand and exponent, bits, or nothing; then flags as in the status
 * word. For `trust` see `usual.ts`.
 */
export function usualCase(
  routine: X87RoutineName,
  operands: readonly Operand[],
  trust: Operand,
): UsualCase | undefined {
  const [ma, ea, mb, eb] = operands as [Operand, Operand, Operand, Operand];
  switch (routine) {
    case 'add':
      return (r, demand) => usualSum(r, demand, trust, ma, ea, mb, eb);
    case 'sub':
      return (r, demand) => usualSum(r, demand, trust, ma, ea, mb, r.xor(eb, 0x8000));
    case 'mul':
      return (r, demand) => usualProduct(r, demand, trust, ma, ea, mb, eb);
    case 'toDouble':
      return (r, demand) => usualToDouble(r, demand, trust, ma, ea);
    case 'compare':
    case 'compareQuietly':
      return (r, demand) => usualRelation(r, demand, trust, ma, ea, mb, eb);
    default:
      return undefined;
  }
}

/** Routines that have one. */
export const USUAL_ROUTINES: ReadonlySet<X87RoutineName> = new Set([
  'add',
  'sub',
  'mul',
  'toDouble',
  'compare',
  'compareQuietly',
]);

/** Numbers of exact operations. Those of stores are followed by one for each width. */
export const EXACT = {
  add: 0,
  mul: 1,
  sub: 2,
  div: 3,
  sqrt: 4,
  toSingle: 5,
  toDouble: 6,
  toInteger: 7,
  truncate: 10,
  round: 13,
  scale: 14,
  compare: 15,
  compareQuietly: 16,
  remainder: 17,
  remainderNearest: 18,
  sine: 19,
  cosine: 20,
  sineAndCosine: 21,
  tangent: 22,
  arctangent: 23,
  logarithm: 24,
  logarithmPlusOne: 25,
  exponentialMinusOne: 26,
} as const;

const VALUE = [I64, I32] as const;
const TWO_VALUES = [...VALUE, ...VALUE] as const;

type Binary = typeof arithmetic.sum;

/** Two register values to one. */
function binary(compute: Binary, operation: number, prepare?: (r: RoutineBuilder, e: Operand) => Operand): Routine {
  return {
    parameters: TWO_VALUES,
    results: VALUE,
    body(r, exactly) {
      const [ma, ea, mb, eb] = r.parameters as [Local, Local, Local, Local];
      const result = arithmetic.resultVariables(r);
      compute(r, ma, ea, mb, prepare ? prepare(r, eb) : eb, result, () => {
        r.assign(result.e, exactly(operation));
        r.assign(result.m, r.load(I64, X87_EXCHANGE.result));
      });
      return [result.m, result.e];
    },
  };
}

function unary(compute: typeof arithmetic.root, operation: number): Routine {
  return {
    parameters: VALUE,
    results: VALUE,
    body(r, exactly) {
      const [m, e] = r.parameters as [Local, Local];
      const result = arithmetic.resultVariables(r);
      compute(r, m, e, result, () => {
        r.assign(result.e, exactly(operation));
        r.assign(result.m, r.load(I64, X87_EXCHANGE.result));
      });
      return [result.m, result.e];
    },
  };
}

/** A register value to the bits of a store, and flags. */
function store(
  compute: (r: RoutineBuilder, m: Local, e: Local, bits: Local, flags: Local, exactly: () => void) => void,
  operation: number,
): Routine {
  return {
    parameters: VALUE,
    results: [I64, I32],
    body(r, exactly) {
      const [m, e] = r.parameters as [Local, Local];
      const bits = r.variable(I64);
      const flags = r.variable(I32);
      compute(r, m, e, bits, flags, () => {
        r.assign(flags, exactly(operation));
        r.assign(bits, r.load(I64, X87_EXCHANGE.result));
      });
      return [bits, flags];
    },
  };
}

function integerStore(width: number, operation: number, truncate: boolean): Routine {
  return store(
    (r, m, e, bits, flags, exactly) =>
      conversions.toInteger(r, width, m, e, truncate ? 3 : roundingControl(r), bits, flags, exactly),
    operation,
  );
}

function comparison(operation: number): Routine {
  return {
    parameters: TWO_VALUES,
    results: [I32],
    body(r, exactly) {
      const [ma, ea, mb, eb] = r.parameters as [Local, Local, Local, Local];
      const flags = r.variable(I32);
      conversions.relation(r, ma, ea, mb, eb, flags, () => r.assign(flags, exactly(operation)));
      return [flags];
    },
  };
}

/** A transcendental function, which wants tables; `compute` demands what it does not care for. */
function tested(
  parameters: readonly number[],
  operation: number,
  compute: (r: RoutineBuilder, demand: Demand, ...operands: Local[]) => readonly [Local, Local],
): Routine {
  return {
    parameters,
    results: VALUE,
    body(r, exactly) {
      const result = arithmetic.resultVariables(r);
      r.attempt(
        (demand) => {
          demand(r.load(I32, X87_TABLES.ready));
          const [m, e] = compute(r, demand, ...r.parameters);
          r.assign(result.m, m);
          r.assign(result.e, e);
        },
        () => {
          r.assign(result.e, exactly(operation));
          r.assign(result.m, r.load(I64, X87_EXCHANGE.result));
        },
      );
      return [result.m, result.e];
    },
  };
}

type Angle = [Local, Local];
type TwoValues = [Local, Local, Local, Local];

export const ROUTINES: Readonly<Record<X87RoutineName, Routine>> = {
  add: binary(arithmetic.sum, EXACT.add),
  mul: binary(arithmetic.product, EXACT.mul),
  sub: binary(arithmetic.sum, EXACT.sub, (r, e) => r.xor(e, 0x8000)),
  div: binary(arithmetic.quotient, EXACT.div),
  sqrt: unary(arithmetic.root, EXACT.sqrt),
  toSingle: store(
    (r, m, e, bits, flags, exactly) => conversions.narrow(r, conversions.SINGLE, m, e, bits, flags, exactly),
    EXACT.toSingle,
  ),
  toDouble: store(
    (r, m, e, bits, flags, exactly) => conversions.narrow(r, conversions.DOUBLE, m, e, bits, flags, exactly),
    EXACT.toDouble,
  ),
  toInteger16: integerStore(16, EXACT.toInteger, false),
  toInteger32: integerStore(32, EXACT.toInteger + 1, false),
  toInteger64: integerStore(64, EXACT.toInteger + 2, false),
  truncate16: integerStore(16, EXACT.truncate, true),
  truncate32: integerStore(32, EXACT.truncate + 1, true),
  truncate64: integerStore(64, EXACT.truncate + 2, true),
  round: unary(conversions.roundToInteger, EXACT.round),
  scale: binary(conversions.scale, EXACT.scale),
  compare: comparison(EXACT.compare),
  compareQuietly: comparison(EXACT.compareQuietly),
  remainder: binary(conversions.remainder(false), EXACT.remainder),
  remainderNearest: binary(conversions.remainder(true), EXACT.remainderNearest),
  sine: tested(VALUE, EXACT.sine, (r, demand, ...value) => new Trigonometric(r, demand).sine(...(value as Angle))),
  cosine: tested(VALUE, EXACT.cosine, (r, demand, ...value) =>
    new Trigonometric(r, demand).cosine(...(value as Angle)),
  ),
  // The cosine goes to `X87_EXCHANGE.second`. C1 tells how the sine was rounded.
  sineAndCosine: tested(VALUE, EXACT.sineAndCosine, (r, demand, ...value) => {
    const { sine, cosine } = new Trigonometric(r, demand).both(...(value as Angle));
    r.store(X87_EXCHANGE.second, cosine[0]);
    r.store(X87_EXCHANGE.second + 8, cosine[1]);
    return sine;
  }),
  tangent: tested(VALUE, EXACT.tangent, (r, demand, ...value) =>
    new Trigonometric(r, demand).tangent(...(value as Angle)),
  ),
  arctangent: tested(TWO_VALUES, EXACT.arctangent, (r, demand, ...values) =>
    transcendental.arctangent(r, demand, ...(values as TwoValues)),
  ),
  logarithm: tested(TWO_VALUES, EXACT.logarithm, (r, demand, ...values) =>
    transcendental.logarithm(r, demand, ...(values as TwoValues)),
  ),
  logarithmPlusOne: tested(TWO_VALUES, EXACT.logarithmPlusOne, (r, demand, ...values) =>
    transcendental.logarithmPlusOne(r, demand, ...(values as TwoValues)),
  ),
  exponentialMinusOne: tested(VALUE, EXACT.exponentialMinusOne, (r, demand, ...value) =>
    transcendental.exponentialMinusOne(r, demand, ...(value as Angle)),
  ),
  examine: {
    parameters: VALUE,
    results: [I32],
    body(r) {
      const [m, e] = r.parameters as [Local, Local];
      return [conversions.examined(r, m, e)];
    },
  },
};

/** Names and types, for who imports them. */
export const X87_ROUTINES = (Object.keys(ROUTINES) as X87RoutineName[]).map((name) => {
  const { parameters, results } = ROUTINES[name];
  return { name, parameters, results };
});

/** A module with all routines; it imports the memory and `exactly`, (operation) → sign, exponent and flags. */
export function buildX87Module(memoryPages: number): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', memoryPages);
  const exact = module.importFunction('env', 'exactly', [I32], [I32]);
  const code = new Code();
  for (const { name, parameters, results } of X87_ROUTINES) {
    const { body } = ROUTINES[name];
    code.clear();
    const r = new RoutineBuilder(code, parameters);
    const exactly = (operation: number): Local => {
      [X87_EXCHANGE.a, X87_EXCHANGE.b].forEach((place, n) => {
        const [m, e] = r.parameters.slice(2 * n);
        if (!m || !e) return;
        r.store(place, m);
        r.store(place + 8, e);
      });
      return r.call(exact, I32, operation);
    };
    for (const result of body(r, exactly)) r.push(result);
    module.exportFunction(name, module.addFunction(parameters, results, r.localRuns(), code.bytes()));
  }
  return module.build();
}
