import type { Builder, Row, Value } from './builder.js';

/**
 * The x87 instructions, opcodes D8–DF (SDM vol. 2, appendix A.5), FWAIT, FXSAVE and FXRSTOR. All computing is done
 * by helpers on the 80-bit functions of `src/fpu`; rows give encodings, operands and addresses.
 *
 * Encodings without a mnemonic of their own do what the 287 made of them, as every processor since.
 */

/** Formats of memory operands, in the order of the opcodes; numbers as the helpers know them. */
const FLOAT32 = { format: 0, bytes: 4, suffix: 'd' };
const INT32 = { format: 1, bytes: 4, suffix: 'd' };
const FLOAT64 = { format: 2, bytes: 8, suffix: 'q' };
const INT16 = { format: 3, bytes: 2, suffix: 'w' };
const INT64 = { format: 4, bytes: 8, suffix: 'q' };
type Format = typeof FLOAT32;

const X87 = { unit: 'x87' } as const;
const CONTROL = { unit: 'x87-nowait' } as const;

/** ST(i) of an encoding with `+i`. */
function register(b: Builder): Value {
  return b.const(b.form.number);
}

/** One that takes nothing but its opcode. */
function plain(name: string, encoding: string, helper = name, ...constants: number[]): Row {
  return {
    ...X87,
    name,
    encodings: [encoding],
    semantics(b) {
      b.helper(helper, ...constants.map((constant) => b.const(constant)));
    },
  };
}

/** One on ST(i); the constants follow it as arguments. */
function onRegister(name: string, encodings: readonly string[], helper: string, ...constants: number[]): Row {
  return {
    ...X87,
    name,
    encodings: encodings.map((encoding) => `${encoding}+i STi`),
    access: '-',
    semantics(b) {
      b.helper(helper, register(b), ...constants.map((constant) => b.const(constant)));
    },
  };
}

/** One on memory in `format`: the helper gets address, format and the constants. */
function onMemory(name: string, encoding: string, format: Format, helper: string, write: boolean, pops?: number): Row {
  return {
    ...X87,
    name,
    encodings: [`${encoding} M${format.suffix}`],
    access: '-',
    semantics(b) {
      const extra = pops === undefined ? [] : [b.const(pops)];
      b.helper(helper, b.address(0, format.bytes, write), b.const(format.format), ...extra);
    },
  };
}

/** One on ten bytes. */
function onTenBytes(name: string, encoding: string, helper: string, write: boolean): Row {
  return {
    ...X87,
    name,
    encodings: [`${encoding} M`],
    access: '-',
    semantics(b) {
      b.helper(helper, b.address(0, 10, write));
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
      b.helper('fpuArithmeticMemory', b.const(operation), b.address(0, format.bytes, false), b.const(format.format));
    },
  });
  const registers = (mnemonic: string, encoding: string, form: number): Row => ({
    ...X87,
    name: mnemonic,
    encodings: [`${encoding}+i STi`],
    access: '-',
    semantics(b) {
      b.helper('fpuArithmetic', b.const(operation), register(b), b.const(form));
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
  return [
    onMemory(`fcom${name}`, `D8 /${digit}`, FLOAT32, 'fcomMemory', false, pops),
    onMemory(`ficom${name}`, `DA /${digit}`, INT32, 'fcomMemory', false, pops),
    onMemory(`fcom${name}`, `DC /${digit}`, FLOAT64, 'fcomMemory', false, pops),
    onMemory(`ficom${name}`, `DE /${digit}`, INT16, 'fcomMemory', false, pops),
  ];
}

/** FCOMI and relatives write the flags. */
function compareToFlags(name: string, encoding: string, helper: string, pops: number): Row {
  return { ...onRegister(name, [encoding], helper, pops), flags: { writes: 'OSZAPC' } };
}

const COMPARISONS: readonly Row[] = [
  ...compareRows('', 2, 0),
  ...compareRows('p', 3, 1),
  onRegister('fcom', ['D8 D0', 'DC D0'], 'fcom', 0),
  onRegister('fcomp', ['D8 D8', 'DC D8', 'DE D0'], 'fcom', 1),
  plain('fcompp', 'DE D9', 'fcom', 1, 2),
  onRegister('fucom', ['DD E0'], 'fucom', 0),
  onRegister('fucomp', ['DD E8'], 'fucom', 1),
  plain('fucompp', 'DA E9', 'fucom', 1, 2),
  compareToFlags('fcomi', 'DB F0', 'fcomi', 0),
  compareToFlags('fcomip', 'DF F0', 'fcomi', 1),
  compareToFlags('fucomi', 'DB E8', 'fucomi', 0),
  compareToFlags('fucomip', 'DF E8', 'fucomi', 1),
  plain('ftst', 'D9 E4'),
  plain('fxam', 'D9 E5'),
];

/** Conditions of FCMOVcc in the order of their encodings. */
const MOVES = ['b', 'e', 'be', 'u'] as const;
const CONDITIONAL_MOVES: readonly Row[] = MOVES.flatMap((condition, n) => [
  { ...onRegister(`fcmov${condition}`, [`DA ${modrm(n)}`], 'fcmov', n, 0), flags: { reads: 'ZPC' } },
  { ...onRegister(`fcmovn${condition}`, [`DB ${modrm(n)}`], 'fcmov', n, 1), flags: { reads: 'ZPC' } },
]);

const LOADS_AND_STORES: readonly Row[] = [
  onMemory('fld', 'D9 /0', FLOAT32, 'fldMemory', false),
  onMemory('fld', 'DD /0', FLOAT64, 'fldMemory', false),
  onTenBytes('fld', 'DB /5', 'fldExtended', false),
  onRegister('fld', ['D9 C0'], 'fld'),
  onMemory('fild', 'DF /0', INT16, 'fldMemory', false),
  onMemory('fild', 'DB /0', INT32, 'fldMemory', false),
  onMemory('fild', 'DF /5', INT64, 'fldMemory', false),
  onTenBytes('fbld', 'DF /4', 'fbld', false),
  onMemory('fst', 'D9 /2', FLOAT32, 'fstMemory', true, 0),
  onMemory('fst', 'DD /2', FLOAT64, 'fstMemory', true, 0),
  onRegister('fst', ['DD D0'], 'fst', 0),
  onMemory('fstp', 'D9 /3', FLOAT32, 'fstMemory', true, 1),
  onMemory('fstp', 'DD /3', FLOAT64, 'fstMemory', true, 1),
  onTenBytes('fstp', 'DB /7', 'fstExtended', true),
  onRegister('fstp', ['DD D8', 'DF D0', 'DF D8'], 'fst', 1),
  onRegister('fstp', ['D9 D8'], 'fstpQuietly'),
  onMemory('fist', 'DF /2', INT16, 'fstMemory', true, 0),
  onMemory('fist', 'DB /2', INT32, 'fstMemory', true, 0),
  onMemory('fistp', 'DF /3', INT16, 'fstMemory', true, 1),
  onMemory('fistp', 'DB /3', INT32, 'fstMemory', true, 1),
  onMemory('fistp', 'DF /7', INT64, 'fstMemory', true, 1),
  // SSE3
  onMemory('fisttp', 'DF /1', INT16, 'fisttp', true),
  onMemory('fisttp', 'DB /1', INT32, 'fisttp', true),
  onMemory('fisttp', 'DD /1', INT64, 'fisttp', true),
  onTenBytes('fbstp', 'DF /6', 'fbstp', true),
  onRegister('fxch', ['D9 C8', 'DD C8', 'DF C8'], 'fxch'),
  onRegister('ffree', ['DD C0'], 'ffree', 0),
  onRegister('ffreep', ['DF C0'], 'ffree', 1),
  plain('fincstp', 'D9 F7'),
  plain('fdecstp', 'D9 F6'),
];

/** FLD1 … FLDZ, D9 E8 … D9 EE. */
const CONSTANTS: readonly Row[] = ['fld1', 'fldl2t', 'fldl2e', 'fldpi', 'fldlg2', 'fldln2', 'fldz'].map((name, n) =>
  plain(name, `D9 ${(0xe8 + n).toString(16).toUpperCase()}`, 'fldConstant', n),
);

const FUNCTIONS: readonly Row[] = [
  plain('fnop', 'D9 D0'),
  plain('fchs', 'D9 E0'),
  plain('fabs', 'D9 E1'),
  plain('f2xm1', 'D9 F0'),
  plain('fyl2x', 'D9 F1'),
  plain('fptan', 'D9 F2'),
  plain('fpatan', 'D9 F3'),
  plain('fxtract', 'D9 F4'),
  plain('fprem1', 'D9 F5'),
  plain('fprem', 'D9 F8'),
  plain('fyl2xp1', 'D9 F9'),
  plain('fsqrt', 'D9 FA'),
  plain('fsincos', 'D9 FB'),
  plain('frndint', 'D9 FC'),
  plain('fscale', 'D9 FD'),
  plain('fsin', 'D9 FE'),
  plain('fcos', 'D9 FF'),
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

const UNIT_CONTROL: readonly Row[] = [
  { ...CONTROL, name: 'fninit', encodings: ['DB E3'], semantics: (b) => void b.helper('fninit') },
  { ...CONTROL, name: 'fnclex', encodings: ['DB E2'], semantics: (b) => void b.helper('fnclex') },
  // FENI, FDISI (8087) and FSETPM (287) do nothing.
  { ...CONTROL, name: 'fneni', encodings: ['DB E0'], semantics() {} },
  { ...CONTROL, name: 'fndisi', encodings: ['DB E1'], semantics() {} },
  { ...CONTROL, name: 'fnsetpm', encodings: ['DB E4'], semantics() {} },
  { ...X87, name: 'fldcw', encodings: ['D9 /5 Mw'], access: 'r', semantics: (b) => void b.helper('fldcw', b.read(0)) },
  {
    ...CONTROL,
    name: 'fnstcw',
    encodings: ['D9 /7 Mw'],
    access: 'w',
    semantics: (b) => b.write(0, b.state('fpuControl')),
  },
  {
    ...CONTROL,
    name: 'fnstsw',
    encodings: ['DD /7 Mw'],
    access: 'w',
    semantics: (b) => b.write(0, b.helper('fnstsw')),
  },
  { ...CONTROL, name: 'fnstsw', encodings: ['DF E0'], semantics: (b) => b.setRegister(0, 16, b.helper('fnstsw')) },
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
