import type { Operand } from '../../isa/encoding.js';
import type { HandlerForm } from './forms.js';
import { nameOf } from './pairs.js';

/**
 * A register that an instruction has written and the next one reads goes from the one to the other in a local of the
 * interpreter, too: through memory a value takes as long as several instructions, and many a loop is little but a
 * chain of such. Which operand that is is known when a block is decoded, and has handlers of its own.
 *
 * The bits say which operands of an instruction are the carried register: r/m (or the one in the opcode), reg, base.
 */
export const CARRIED = { none: 0, rm: 1, reg: 2, base: 4 } as const;

/** Rows whose first operand is written last of all that they do to registers, whatever its value. */
const CARRIERS: ReadonlySet<string> = new Set(
  'mov movzx movsx lea pop add adc sub sbb and or xor inc dec not neg shl shr sar rol ror imul'.split(' '),
);

/** The operand that a hot instruction leaves for the next one, a 32-bit register, or −1. */
export function carrierOf(form: HandlerForm): number {
  const { row, encoding } = form;
  if (form.size !== 32 || row.ends || !CARRIERS.has(row.name)) return -1;
  const [operand] = encoding.operands;
  return operand?.access.includes('w') === true && registerOf(form, 0) !== CARRIED.none ? 0 : -1;
}

/** `CARRIED` of an operand that is a register of 32 bits. */
export function registerOf(form: HandlerForm, n: number): number {
  const operand: Operand | undefined = form.encoding.operands[n];
  if (!operand || form.isMemory(n) || (operand.size === 'v' ? form.size : operand.size) !== 32) return CARRIED.none;
  switch (operand.kind) {
    case 'rm':
    case 'opcodeRegister':
    case 'fixed':
      return CARRIED.rm;
    case 'reg':
      return CARRIED.reg;
    default:
      return CARRIED.none;
  }
}

/** Two registers that are nearly always one: not worth a handler for each. */
const BOTH_ARE_ONE: ReadonlySet<string> = new Set(['test e,g']);

/** Instructions that have handlers for what is carried to them: loads, and what computes with registers. */
const TAKERS =
  /^(((add|sub|and|or|xor|cmp|imul) (e,g|g,e|e,i|fixed0,i))|(test e,[gi])|(imul g,e,i)|((shl|shr|sar|rol|ror) e,i)|((inc|dec|not|neg) [ez])|(mov (e,g|g,m))|(lea g,[mx]0))$/;

/** Which operands of a hot instruction may be carried to it: the sets that have a handler, most first. */
export function carriedOperands(form: HandlerForm): readonly number[] {
  const name = nameOf(form);
  if (!TAKERS.test(name)) return [];
  if (BOTH_ARE_ONE.has(name)) return [CARRIED.rm | CARRIED.reg];
  const sets: number[] = [];
  for (const [n, operand] of form.encoding.operands.entries())
    if (operand.access.includes('r') && registerOf(form, n) !== CARRIED.none) sets.push(registerOf(form, n));
  if (form.encoding.rmOperand >= 0 && form.isMemory(form.encoding.rmOperand)) sets.push(CARRIED.base);
  return sets;
}
