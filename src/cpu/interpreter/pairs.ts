import type { HandlerForm } from './forms.js';
import { ADDRESSING } from './forms.js';

/**
 * Instructions that stand one behind the other so often that one handler does both: dispatching costs more than most of
 * them do. The commonest in code that is interpreted, while Linux boots and Python and Lua start.
 */
export const PAIRS: readonly string[] = [
  'mov g,m; mov g,m',
  'mov g,m; mov m,g',
  'mov g,m; test e,g',
  'mov g,m; mov e,g',
  'mov g,m; lea g,m0',
  'mov g,m; add e,g',
  'mov g,m; add e,i',
  'mov g,m; ror e,i',
  'mov g,m; cmp e,g',
  'mov g,m; xor e,g',
  'mov g,m; call j',
  'mov g,m; cmp e,i',
  'mov g,m; lea g,x0',
  'mov g,m; mov z,i',
  'mov g,m; and e,i',
  'mov g,m; mov m,i',
  'mov g,m; test m8,i 8',
  'mov g,m; mov g,x',
  'mov g,m; leave ',
  'mov g,m; cmp m,g',
  'mov e,g; push z',
  'mov e,g; mov e,g',
  'mov e,g; call j',
  'mov e,g; mov g,m',
  'mov e,g; sub e,i',
  'mov e,g; mov m,g',
  'mov e,g; test e,g',
  'mov e,g; pop z',
  'mov e,g; and e,i',
  'mov e,g; xor e,g',
  'mov e,g; lea g,m0',
  'mov e,g; add e,i',
  'push z; push z',
  'push z; mov e,g',
  'push z; sub e,i',
  'push z; call j',
  'push z; mov g,m',
  'mov m,g; mov g,m',
  'mov m,g; mov m,g',
  'mov m,g; mov e,g',
  'mov m,g; xor e,g',
  'mov m,g; test e,g',
  'mov m,g; lea g,m0',
  'mov m,g; jmp j',
  'lea g,m0; push z',
  'lea g,m0; mov e,g',
  'lea g,m0; pop z',
  'lea g,m0; mov m,g',
  'lea g,m0; mov g,m',
  'lea g,m0; lea g,m0',
  'pop z; pop z',
  'pop z; ret ',
  'test e,g; jcc4 j',
  'test e,g; jcc5 j',
  'xor e,g; mov e,g',
  'xor e,g; mov m,g',
  'xor e,g; mov g,m',
  'xor e,g; ror e,i',
  'add e,g; xor e,g',
  'add e,g; mov g,m',
  'add e,g; mov e,g',
  'add e,g; mov m,g',
  'cmp e,i; jcc4 j',
  'cmp e,i; jcc5 j',
  'cmp e,i; jcc7 j',
  'cmp e,i; jcc6 j',
  'cmp e,g; jcc5 j',
  'cmp e,g; jcc4 j',
  'cmp e,g; jcc2 j',
  'cmp e,g; jcc3 j',
  'add e,i; pop z',
  'add e,i; mov e,g',
  'add e,i; test e,g',
  'add e,i; mov m,g',
  'sub e,i; mov g,m',
  'sub e,i; mov m,g',
  'test m8,i 8; jcc4 j',
  'test m8,i 8; jcc5 j',
  'test e8,g8 8; jcc4 j',
  'test e8,g8 8; jcc5 j',
  'mov m,i; mov m,i',
  'mov m,i; mov m,g',
  'rol e,i; add e,g',
  'rol e,i; xor e,g',
  'mov z,i; mov e,g',
  'mov z,i; call j',
  'ror e,i; add e,g',
  'ror e,i; mov m,g',
  'lea g,x0; mov g,m',
  'cmp m,i; jcc4 j',
  'cmp m,i; jcc5 j',
  'cmp g,m; jcc4 j',
  'cmp m,g; jcc4 j',
  'test fixed08,i 8; jcc4 j',
  'mov x,g; add e,i',
  'and e,i; mov m,g',
];

/**
 * What the handler of a hot form does, in few letters: forms with the same name and row have one handler. A register
 * operand is e (r/m), g or z (in the opcode), one in memory m or, with an index, x; i is an immediate, j relative.
 */
export function nameOf(form: HandlerForm): string {
  const { row, encoding } = form;
  const inOpcode = encoding.operands.some((operand) => operand.kind === 'opcodeRegister');
  const number = encoding.ranged && !inOpcode ? form.number : '';
  const operands = encoding.operands.map((operand, n) => {
    const size = operand.size === 'v' ? '' : operand.size;
    switch (operand.kind) {
      case 'rm':
        return `${form.isMemory(n) ? (form.addressing === ADDRESSING.full ? 'x' : 'm') : 'e'}${size}`;
      case 'reg':
        return `g${size}`;
      case 'opcodeRegister':
        return `z${size}`;
      case 'immediate':
        return 'i';
      case 'relative':
        return 'j';
      default:
        return `${operand.kind}${operand.number}${size}`;
    }
  });
  return `${row.name}${number} ${operands.join(',')}${form.size === 8 ? ' 8' : ''}`;
}
