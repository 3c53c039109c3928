import type { Builder, Row, Value } from './builder.js';
import * as flags from './flags.js';

/** BCD adjustments (SDM vol. 2: AAA, AAD, AAM, AAS, DAA, DAS), with the undefined flags as processors leave them. */

const AL = 0;
const AH = 4;
const AX = 0;

/** AAA and AAS. */
function asciiAdjust(sign: 1 | -1): (b: Builder) => void {
  return (b) => {
    const al = b.register(AL, 8);
    const needed = b.or(b.ltU(b.const(9), b.and(al, b.const(15))), flags.adjust(b));
    const ax = b.register(AX, 16);
    const adjusted = b.and(b.add(ax, b.const(sign * 0x106)), b.const(0xffff));
    const result = b.select(needed, adjusted, ax);
    b.setRegister(AX, 16, b.and(result, b.const(0xff0f)));
    b.setState('flagsResult', b.signExtend8(b.and(result, b.const(15))));
    b.setState('flagsAux', b.or(b.shl(needed, b.const(3)), b.mul(needed, b.const(0xc000_0000 | 0))));
  };
}

/** DAA and DAS. */
function decimalAdjust(subtract: boolean): (b: Builder) => void {
  return (b) => {
    const al = b.register(AL, 8);
    const lowNeeded = b.or(b.ltU(b.const(9), b.and(al, b.const(15))), flags.adjust(b));
    const highNeeded = b.or(b.ltU(b.const(0x99), al), flags.carry(b));
    const amount = b.add(b.mul(lowNeeded, b.const(6)), b.mul(highNeeded, b.const(0x60)));
    const result = b.and(subtract ? b.sub(al, amount) : b.add(al, amount), b.const(0xff));
    // DAS also carries when the low adjustment alone borrows.
    const borrowed: Value = subtract ? b.and(lowNeeded, b.ltU(al, b.const(6))) : b.const(0);
    const cf = b.or(highNeeded, borrowed);
    b.setRegister(AL, 8, result);
    flags.setResult(b, 8, result, cf, b.const(0));
    b.setState('flagsAux', b.or(b.state('flagsAux'), b.shl(lowNeeded, b.const(3))));
  };
}

const ASCII = { reads: 'A', writes: 'AC', undefined: 'OSZP' };
const DECIMAL = { reads: 'AC', writes: 'SZAPC', undefined: 'O' };
const DIVIDED = { writes: 'SZP', undefined: 'OAC' };

export const DECIMAL_ROWS: readonly Row[] = [
  { name: 'aaa', encodings: ['37'], flags: ASCII, semantics: asciiAdjust(1) },
  { name: 'aas', encodings: ['3F'], flags: ASCII, semantics: asciiAdjust(-1) },
  { name: 'daa', encodings: ['27'], flags: DECIMAL, semantics: decimalAdjust(false) },
  { name: 'das', encodings: ['2F'], flags: DECIMAL, semantics: decimalAdjust(true) },
  {
    name: 'aam',
    encodings: ['D4 Ib'],
    access: 'r',
    flags: DIVIDED,
    semantics(b) {
      const base = b.read(0);
      b.when(b.isZero(base), () => b.fault(0));
      const al = b.register(AL, 8);
      const remainder = b.remU(al, base);
      b.setRegister(AH, 8, b.divU(al, base));
      b.setRegister(AL, 8, remainder);
      flags.setLogic(b, 8, remainder);
    },
  },
  {
    name: 'aad',
    encodings: ['D5 Ib'],
    access: 'r',
    flags: DIVIDED,
    semantics(b) {
      const result = b.and(b.add(b.register(AL, 8), b.mul(b.register(AH, 8), b.read(0))), b.const(0xff));
      b.setRegister(AX, 16, result);
      flags.setLogic(b, 8, result);
    },
  },
];
