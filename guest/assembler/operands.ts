/** Operands of an instruction: registers, memory, immediates and far pointers, as written in Intel style. */

import { AssemblyError, type Expression, parseExpression, type Token, TokenReader } from './expressions.js';

export type RegisterClass = 'r8' | 'r16' | 'r32' | 'segment' | 'control' | 'debug' | 'st' | 'mm' | 'xmm';

export type Operand =
  | { kind: 'register'; class: RegisterClass; number: number }
  | {
      kind: 'memory';
      /** Bytes, where the text says so (`dword [x]`). */
      size?: number;
      /** Segment register of an override. */
      segment?: number;
      base?: number;
      index?: number;
      scale: number;
      displacement?: Expression;
    }
  | { kind: 'immediate'; size?: number; distance?: 'short' | 'near'; value: Expression }
  | { kind: 'far'; selector: Expression; offset: Expression };

const REGISTERS = new Map<string, { class: RegisterClass; number: number }>();
function nameRegisters(kind: RegisterClass, names: string): void {
  names.split(' ').forEach((name, number) => {
    if (name !== '-') REGISTERS.set(name, { class: kind, number });
  });
}
nameRegisters('r8', 'al cl dl bl ah ch dh bh');
nameRegisters('r16', 'ax cx dx bx sp bp si di');
nameRegisters('r32', 'eax ecx edx ebx esp ebp esi edi');
nameRegisters('segment', 'es cs ss ds fs gs');
nameRegisters('control', 'cr0 - cr2 cr3 cr4');
nameRegisters('debug', 'dr0 dr1 dr2 dr3 - - dr6 dr7');
nameRegisters('st', 'st0 st1 st2 st3 st4 st5 st6 st7');
nameRegisters('mm', 'mm0 mm1 mm2 mm3 mm4 mm5 mm6 mm7');
nameRegisters('xmm', 'xmm0 xmm1 xmm2 xmm3 xmm4 xmm5 xmm6 xmm7');

const SIZES: Readonly<Record<string, number>> = { byte: 1, word: 2, dword: 4, qword: 8, tword: 10, oword: 16 };

/** The register called `name`, if there is one. */
export function registerNamed(name: string): { class: RegisterClass; number: number } | undefined {
  return REGISTERS.get(name.toLowerCase());
}

/** Parses one operand that fills `tokens`. */
export function parseOperand(tokens: readonly Token[], expand: (name: string) => string): Operand {
  const reader = new TokenReader(tokens);
  const sizeWord = reader.takeWord(...Object.keys(SIZES));
  const size = sizeWord === undefined ? undefined : SIZES[sizeWord];
  const distance = reader.takeWord('short', 'near') as 'short' | 'near' | undefined;
  const operand = parseBody(reader, expand);
  if (!reader.done) throw new AssemblyError('something follows the operand');
  if (size !== undefined && (operand.kind === 'memory' || operand.kind === 'immediate')) operand.size = size;
  if (distance !== undefined && operand.kind === 'immediate') operand.distance = distance;
  return operand;
}

function parseBody(reader: TokenReader, expand: (name: string) => string): Operand {
  const token = reader.peek();
  if (token?.kind === 'word') {
    const register = registerNamed(token.text);
    if (register !== undefined) {
      reader.next();
      return { kind: 'register', ...register };
    }
  }
  if (reader.takeSign('[')) return parseMemory(reader, expand);
  const value = parseExpression(reader, expand);
  if (reader.takeSign(':')) return { kind: 'far', selector: value, offset: parseExpression(reader, expand) };
  return { kind: 'immediate', value };
}

/** Between the brackets: `seg: base + index*scale + displacement`, terms in any order. */
function parseMemory(reader: TokenReader, expand: (name: string) => string): Operand {
  const memory: Extract<Operand, { kind: 'memory' }> = { kind: 'memory', scale: 1 };
  const first = reader.peek();
  const second = reader.peek(1);
  if (first?.kind === 'word' && second?.kind === 'sign' && second.text === ':') {
    const segment = registerNamed(first.text);
    if (segment?.class !== 'segment') throw new AssemblyError(`${first.text} is no segment register`);
    memory.segment = segment.number;
    reader.next();
    reader.next();
  }
  let negative = reader.takeSign('-');
  while (true) {
    addTerm(memory, reader, expand, negative);
    if (reader.takeSign(']')) return memory;
    if (reader.takeSign('+')) negative = false;
    else if (reader.takeSign('-')) negative = true;
    else throw new AssemblyError('"]" expected');
  }
}

function addTerm(
  memory: Extract<Operand, { kind: 'memory' }>,
  reader: TokenReader,
  expand: (name: string) => string,
  negative: boolean,
): void {
  const token = reader.peek();
  const register = token?.kind === 'word' ? registerNamed(token.text) : undefined;
  if (register !== undefined) {
    if (register.class !== 'r32' || negative) throw new AssemblyError('only 32-bit registers are added in an address');
    reader.next();
    if (reader.takeSign('*')) {
      const scale = reader.next();
      if (scale?.kind !== 'number' || ![1, 2, 4, 8].includes(scale.value)) throw new AssemblyError('bad scale');
      if (memory.index !== undefined) throw new AssemblyError('two index registers');
      memory.index = register.number;
      memory.scale = scale.value;
    } else if (memory.base === undefined) memory.base = register.number;
    else if (memory.index === undefined) memory.index = register.number;
    else throw new AssemblyError('too many registers in an address');
    return;
  }
  // Everything stronger than + and - belongs to this term.
  const term = parseExpression(reader, expand, 9);
  const value: Expression = negative ? { kind: 'unary', operator: '-', of: term } : term;
  memory.displacement =
    memory.displacement === undefined
      ? value
      : { kind: 'binary', operator: '+', left: memory.displacement, right: value };
}
