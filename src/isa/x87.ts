import type { Builder, Row, Value } from './builder.js';
import * as fast from './x87-fast.js';
import { FLOAT32, FLOAT64, INT16, INT32, INT64 } from './x87-fast.js';
import type { Format, X87Meaning } from './x87-fast.js';

/**
 * The x87 instructions, opcodes D8–DF (SDM vol. 2, appendix A.5), FWAIT, FXSAVE and FXRSTOR. Each names a helper,
 * which does all of it with the 80-bit functions of `src/fpu`, and many have a meaning for `Builder.x87` besides,
 * without stack faults and unmasked exceptions (`x87-fast.ts`).
 *
 * Encodings without a mnemonic of their own do what the 287 made of them, as every processor since.
 */

const X87 = { unit: 'x87' } as const;
const CONTROL = { unit: 'x87-nowait' } as const;

/** ST(i) of an encoding with `+i`. */
function register(b: Builder): Value {
  return b.const(b.form.number);
}

/** Does it as `meaning` says if the builder has the register stack, else by a helper. */
function does(b: Builder, meaning: X87Meaning | undefined, slowly: () => void): void {
  const { x87 } = b;
  if (meaning && x87) x87.attempt(() => meaning(b, x87), slowly);
  else slowly();
}

interface PlainOptions {
  readonly helper?: string;
  readonly constants?: readonly number[];
  readonly meaning?: X87Meaning;
}

/** One that takes nothing but its opcode. */
function plain(name: string, encoding: string, options: PlainOptions = {}): Row {
  const { helper = name, constants = [], meaning } = options;
  return {
    ...X87,
    name,
    encodings: [encoding],
    semantics(b) {
      does(b, meaning, () => b.helper(helper, ...constants.map((constant) => b.const(constant))));
    },
  };
}

/** One on ST(i); the constants follow it as arguments. */
function onRegister(
  name: string,
  encodings: readonly string[],
  helper: string,
  constants: readonly number[],
  meaning: X87Meaning,
): Row {
  return {
    ...X87,
    name,
    encodings: encodings.map((encoding) => `${encoding}+i STi`),
    access: '-',
    semantics(b) {
      does(b, meaning, () => b.helper(helper, register(b), ...constants.map((constant) => b.const(constant))));
    },
  };
}

/** One on memory in `format`: the helper gets address, format and the constants. */
function onMemory(
  name: string,
  encoding: string,
  format: Format,
  helper: string,
  write: boolean,
  constants: readonly number[],
  meaning: X87Meaning,
): Row {
  return {
    ...X87,
    name,
    encodings: [`${encoding} M${format.suffix}`],
    access: '-',
    semantics(b) {
      does(b, meaning, () => {
        const extra = constants.map((constant) => b.const(constant));
        b.helper(helper, b.address(0, format.bytes, write), b.const(format.format), ...extra);
      });
    },
  };
}

function load(name: string, encoding: string, format: Format): Row {
  return onMemory(name, encoding, format, 'fldMemory', false, [], fast.loadFromMemory(format));
}
function store(name: string, encoding: string, format: Format, pops: number): Row {
  return onMemory(name, encoding, format, 'fstMemory', true, [pops], fast.storeToMemory(format, pops));
}
function storeTruncating(encoding: string, format: Format): Row {
  return onMemory('fisttp', encoding, format, 'fisttp', true, [], fast.storeToMemory(format, 1, true));
}

/** One on ten bytes. */
function onTenBytes(name: string, encoding: string, helper: string, write: boolean, meaning?: X87Meaning): Row {
  return {
    ...X87,
    name,
    encodings: [`${encoding} M`],
    access: '-',
    semantics(b) {
      does(b, meaning, () => b.helper(helper, b.address(0, 10, write)));
    },
  };
}

/** Mnemonics by operation number, which is the reg field of D8, DA, DC and DE. */
const OPERATIONS = ['add', 'mul', undefined, undefined, 'sub', 'subr', 'div', 'divr'] as const;

/** ModRM of the first register of a group. */
function modrm(group: number): string {
  return (0xc0 + 8 * group).toString(16).toUpperCase();
}

function arithmeticRows(name: string, operation: number): Row[] {
  // With ST(i) as destination the encodings of the reversed forms are exchanged (SDM vol. 2, FSUB note).
  const reversed = operation >= 4 ? operation ^ 1 : operation;
  const memory = (prefix: string, opcode: string, format: Format): Row => ({
    ...X87,
    name: `${prefix}${name}`,
    encodings: [`${opcode} /${operation} M${format.suffix}`],
    access: '-',
    semantics(b) {
      does(b, fast.arithmeticWithMemory(operation, format), () => {
        b.helper('fpuArithmeticMemory', b.const(operation), b.address(0, format.bytes, false), b.const(format.format));
      });
    },
  });
  const registers = (mnemonic: string, encoding: string, form: number): Row => ({
    ...X87,
    name: mnemonic,
    encodings: [`${encoding}+i STi`],
    access: '-',
    semantics(b) {
      does(b, fast.arithmeticWithRegister(operation, form), () =>
        b.helper('fpuArithmetic', b.const(operation), register(b), b.const(form)),
      );
    },
  });
  return [
    memory('f', 'D8', FLOAT32),
    memory('fi', 'DA', INT32),
    memory('f', 'DC', FLOAT64),
    memory('fi', 'DE', INT16),
    registers(`f${name}`, `D8 ${modrm(operation)}`, 0),
    registers(`f${name}`, `DC ${modrm(reversed)}`, 1),
    registers(`f${name}p`, `DE ${modrm(reversed)}`, 2),
  ];
}

const ARITHMETIC: readonly Row[] = OPERATIONS.flatMap((name, operation) =>
  name === undefined ? [] : arithmeticRows(name, operation),
);

function compareRows(name: string, digit: number, pops: number): Row[] {
  const row = (mnemonic: string, opcode: string, format: Format): Row => {
    const meaning = fast.compareWithMemory(format, pops);
    return onMemory(`${mnemonic}${name}`, `${opcode} /${digit}`, format, 'fcomMemory', false, [pops], meaning);
  };
  return [row('fcom', 'D8', FLOAT32), row('ficom', 'DA', INT32), row('fcom', 'DC', FLOAT64), row('ficom', 'DE', INT16)];
}

function compareRegisters(name: string, encodings: readonly string[], quiet: boolean, pops: number): Row {
  const meaning = fast.compareWithRegister(quiet ? 'compareQuietly' : 'compare', pops);
  return onRegister(name, encodings, quiet ? 'fucom' : 'fcom', [pops], meaning);
}

/** With ST(1), and pops both. */
function compareTwice(name: string, encoding: string, quiet: boolean): Row {
  return plain(name, encoding, {
    helper: quiet ? 'fucom' : 'fcom',
    constants: [1, 2],
    meaning: fast.compareWithRegister(quiet ? 'compareQuietly' : 'compare', 2, 1),
  });
}

/** FCOMI and relatives write the flags. */
function compareToFlags(name: string, encoding: string, quiet: boolean, pops: number): Row {
  const meaning = fast.compareToFlags(quiet ? 'compareQuietly' : 'compare', pops);
  return {
    ...onRegister(name, [encoding], quiet ? 'fucomi' : 'fcomi', [pops], meaning),
    flags: { writes: 'OSZAPC' },
  };
}

const COMPARISONS: readonly Row[] = [
  ...compareRows('', 2, 0),
  ...compareRows('p', 3, 1),
  compareRegisters('fcom', ['D8 D0', 'DC D0'], false, 0),
  compareRegisters('fcomp', ['D8 D8', 'DC D8', 'DE D0'], false, 1),
  compareTwice('fcompp', 'DE D9', false),
  compareRegisters('fucom', ['DD E0'], true, 0),
  compareRegisters('fucomp', ['DD E8'], true, 1),
  compareTwice('fucompp', 'DA E9', true),
  compareToFlags('fcomi', 'DB F0', false, 0),
  compareToFlags('fcomip', 'DF F0', false, 1),
  compareToFlags('fucomi', 'DB E8', true, 0),
  compareToFlags('fucomip', 'DF E8', true, 1),
  plain('ftst', 'D9 E4', { meaning: fast.compareWithZero }),
  plain('fxam', 'D9 E5', { meaning: fast.examine }),
];

/** Conditions of FCMOVcc in the order of their encodings. */
const MOVES = ['b', 'e', 'be', 'u'] as const;
const CONDITIONAL_MOVES: readonly Row[] = MOVES.flatMap((condition, n) =>
  [false, true].map((negated) => ({
    ...onRegister(
      `fcmov${negated ? 'n' : ''}${condition}`,
      [`${negated ? 'DB' : 'DA'} ${modrm(n)}`],
      'fcmov',
      [n, Number(negated)],
      fast.conditionalMove(n, negated),
    ),
    flags: { reads: 'ZPC' },
  })),
);

const LOADS_AND_STORES: readonly Row[] = [
  load('fld', 'D9 /0', FLOAT32),
  load('fld', 'DD /0', FLOAT64),
  onTenBytes('fld', 'DB /5', 'fldExtended', false, fast.loadTenBytes),
  onRegister('fld', ['D9 C0'], 'fld', [], fast.loadRegister),
  load('fild', 'DF /0', INT16),
  load('fild', 'DB /0', INT32),
  load('fild', 'DF /5', INT64),
  onTenBytes('fbld', 'DF /4', 'fbld', false),
  store('fst', 'D9 /2', FLOAT32, 0),
  store('fst', 'DD /2', FLOAT64, 0),
  onRegister('fst', ['DD D0'], 'fst', [0], fast.storeToRegister(0)),
  store('fstp', 'D9 /3', FLOAT32, 1),
  store('fstp', 'DD /3', FLOAT64, 1),
  onTenBytes('fstp', 'DB /7', 'fstExtended', true, fast.storeTenBytes),
  onRegister('fstp', ['DD D8', 'DF D0', 'DF D8'], 'fst', [1], fast.storeToRegister(1)),
  onRegister('fstp', ['D9 D8'], 'fstpQuietly', [], fast.storeToRegister(1)),
  store('fist', 'DF /2', INT16, 0),
  store('fist', 'DB /2', INT32, 0),
  store('fistp', 'DF /3', INT16, 1),
  store('fistp', 'DB /3', INT32, 1),
  store('fistp', 'DF /7', INT64, 1),
  // SSE3
  storeTruncating('DF /1', INT16),
  storeTruncating('DB /1', INT32),
  storeTruncating('DD /1', INT64),
  onTenBytes('fbstp', 'DF /6', 'fbstp', true),
  onRegister('fxch', ['D9 C8', 'DD C8', 'DF C8'], 'fxch', [], fast.exchange),
  onRegister('ffree', ['DD C0'], 'ffree', [0], fast.freeRegister(0)),
  onRegister('ffreep', ['DF C0'], 'ffree', [1], fast.freeRegister(1)),
  plain('fincstp', 'D9 F7', { meaning: fast.rotate(1) }),
  plain('fdecstp', 'D9 F6', { meaning: fast.rotate(-1) }),
];

/** FLD1 … FLDZ, D9 E8 … D9 EE. */
const CONSTANTS: readonly Row[] = ['fld1', 'fldl2t', 'fldl2e', 'fldpi', 'fldlg2', 'fldln2', 'fldz'].map((name, n) =>
  plain(name, `D9 ${(0xe8 + n).toString(16).toUpperCase()}`, {
    helper: 'fldConstant',
    constants: [n],
    meaning: fast.loadConstant(n),
  }),
);

const FUNCTIONS: readonly Row[] = [
  plain('fnop', 'D9 D0', { meaning: fast.nothing }),
  plain('fchs', 'D9 E0', { meaning: fast.changeSign }),
  plain('fabs', 'D9 E1', { meaning: fast.absolute }),
  plain('f2xm1', 'D9 F0', { meaning: fast.unary('exponentialMinusOne') }),
  plain('fyl2x', 'D9 F1', { meaning: fast.poppingBinary('logarithm') }),
  plain('fptan', 'D9 F2', { meaning: fast.tangent }),
  plain('fpatan', 'D9 F3', { meaning: fast.poppingBinary('arctangent') }),
  plain('fxtract', 'D9 F4', { meaning: fast.extract }),
  plain('fprem1', 'D9 F5', { meaning: fast.remainder('remainderNearest') }),
  plain('fprem', 'D9 F8', { meaning: fast.remainder('remainder') }),
  plain('fyl2xp1', 'D9 F9', { meaning: fast.poppingBinary('logarithmPlusOne') }),
  plain('fsqrt', 'D9 FA', { meaning: fast.unary('sqrt') }),
  plain('fsincos', 'D9 FB', { meaning: fast.sineAndCosine }),
  plain('frndint', 'D9 FC', { meaning: fast.unary('round') }),
  plain('fscale', 'D9 FD', { meaning: fast.scale }),
  plain('fsin', 'D9 FE', { meaning: fast.circular('sine') }),
  plain('fcos', 'D9 FF', { meaning: fast.circular('cosine') }),
];

/** Stores of environment and state: size and layout follow the operand size. */
function stateRow(name: string, encoding: string, bytes16: number, bytes32: number, write: boolean): Row {
  return {
    name,
    unit: write ? 'x87-nowait' : 'x87',
    encodings: [`${encoding} M`],
    access: '-',
    sized: true,
    semantics(b) {
      const bytes = b.form.size === 16 ? bytes16 : bytes32;
      b.helper(name, b.address(0, bytes, write), b.const(b.form.size));
    },
  };
}

const ERROR_SUMMARY = 0x80;

/** With TOP, and B, which is as ES. */
function statusWord(b: Builder): Value {
  const status = b.state('fpuStatus');
  const busy = b.shl(b.and(status, b.const(ERROR_SUMMARY)), b.const(8));
  return b.or(b.or(status, busy), b.shl(b.state('fpuTop'), b.const(11)));
}

/** Exception flags, stack fault and ES; condition codes stay. */
function clearExceptions(b: Builder): void {
  const status = b.state('fpuStatus');
  b.when(
    b.and(status, b.const(ERROR_SUMMARY)),
    () => void b.helper('fnclex'),
    () => b.setState('fpuStatus', b.and(status, b.const(0x4700))),
  );
}

const ALL_MASKED = 0x3f;

/** Nothing is pending; that can change only if an exception is unmasked. */
function loadControlWord(b: Builder): void {
  const word = b.read(0);
  b.when(
    b.eq(b.and(word, b.const(ALL_MASKED)), b.const(ALL_MASKED)),
    () => b.setState('fpuControl', b.or(b.and(word, b.const(0x1f3f)), b.const(0x40))),
    () => void b.helper('fldcw', word),
  );
}

const UNIT_CONTROL: readonly Row[] = [
  { ...CONTROL, name: 'fninit', encodings: ['DB E3'], semantics: (b) => void b.helper('fninit') },
  { ...CONTROL, name: 'fnclex', encodings: ['DB E2'], semantics: clearExceptions },
  // FENI, FDISI (8087) and FSETPM (287) do nothing.
  { ...CONTROL, name: 'fneni', encodings: ['DB E0'], semantics() {} },
  { ...CONTROL, name: 'fndisi', encodings: ['DB E1'], semantics() {} },
  { ...CONTROL, name: 'fnsetpm', encodings: ['DB E4'], semantics() {} },
  { ...X87, name: 'fldcw', encodings: ['D9 /5 Mw'], access: 'r', semantics: loadControlWord },
  {
    ...CONTROL,
    name: 'fnstcw',
    encodings: ['D9 /7 Mw'],
    access: 'w',
    semantics: (b) => b.write(0, b.state('fpuControl')),
  },
  { ...CONTROL, name: 'fnstsw', encodings: ['DD /7 Mw'], access: 'w', semantics: (b) => b.write(0, statusWord(b)) },
  { ...CONTROL, name: 'fnstsw', encodings: ['DF E0'], semantics: (b) => b.setRegister(0, 16, statusWord(b)) },
  stateRow('fldenv', 'D9 /4', 14, 28, false),
  stateRow('fnstenv', 'D9 /6', 14, 28, true),
  stateRow('frstor', 'DD /4', 94, 108, false),
  stateRow('fnsave', 'DD /6', 94, 108, true),
  { name: 'fwait', unit: 'wait', encodings: ['9B'], semantics() {} },
];

/** The address must be a multiple of 16: the helper's #GP(0). */
function imageRow(name: string, digit: number, write: boolean): Row {
  return {
    name,
    unit: 'fxsave',
    encodings: [`NP 0F AE /${digit} M`],
    access: '-',
    semantics(b) {
      b.helper(name, b.address(0, 512, write));
    },
  };
}

export const X87_ROWS: readonly Row[] = [
  ...ARITHMETIC,
  ...COMPARISONS,
  ...CONDITIONAL_MOVES,
  ...LOADS_AND_STORES,
  ...CONSTANTS,
  ...FUNCTIONS,
  ...UNIT_CONTROL,
  imageRow('fxsave', 0, true),
  imageRow('fxrstor', 1, false),
];
