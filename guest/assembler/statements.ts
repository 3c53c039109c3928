/** Lines become statements: labels, constants, data, alignment, sections and instructions. */

import { type Encoder, type Instruction, prefixNamed, type Surroundings } from './encode.js';
import {
  AssemblyError,
  type Expression,
  evaluate,
  isConstantExpression,
  parseExpression,
  type Token,
  TokenReader,
  tokenize,
} from './expressions.js';
import { type Operand, parseOperand } from './operands.js';
import type { Line } from './preprocess.js';

/** One thing that takes up room in a section (or a label, which takes none). */
export type Item = { line: Line } & (
  | { kind: 'label'; name: string }
  | { kind: 'equ'; name: string; value: Expression }
  | { kind: 'data'; width: number; values: (Expression | string)[] }
  | { kind: 'reserve'; bytes: Expression }
  | { kind: 'align'; to: number; fill: number }
  | { kind: 'instruction'; instruction: Instruction }
  | { kind: 'times'; count: Expression; items: Item[] }
);

/** A section as the source describes it; addresses are bytes. */
export interface SectionSource {
  name: string;
  physical?: number;
  virtual?: number;
  align: number;
  /** Takes memory but no room in the file. */
  zero: boolean;
  items: Item[];
}

/** What parsing yields. */
export interface Program {
  sections: readonly SectionSource[];
  /** Values that involve no address, and so are known from the beginning. */
  constants: ReadonlyMap<string, number>;
}

const DATA_WIDTHS: Readonly<Record<string, number>> = { db: 1, dw: 2, dd: 4, dq: 8 };
const RESERVE_WIDTHS: Readonly<Record<string, number>> = { resb: 1, resw: 2, resd: 4 };

/** Reads all lines; the sections are in the order of their first appearance. */
export function parseLines(lines: readonly Line[], encoder: Encoder): Program {
  const parser = new Parser(encoder);
  for (const line of lines) {
    try {
      parser.line(line);
    } catch (error) {
      throw placeError(error, line);
    }
  }
  return parser;
}

/** Adds file and line to a message. */
export function placeError(error: unknown, line: Line): unknown {
  if (!(error instanceof AssemblyError)) return error;
  return new AssemblyError(`${line.file}:${line.line}: ${error.message}\n    ${line.text}`);
}

class Parser implements Program {
  readonly sections: SectionSource[] = [];
  private readonly encoder: Encoder;
  private section: SectionSource | undefined;
  /** Constants known so far: only they may shorten an instruction. */
  readonly constants = new Map<string, number>();
  private lastLabel = '';

  constructor(encoder: Encoder) {
    this.encoder = encoder;
  }

  line(line: Line): void {
    let text = line.text;
    while (true) {
      const m = /^([A-Za-z_.?@][\w.?@$]*)\s*:(?!:)\s*/.exec(text);
      if (m === null) break;
      this.add({ line, kind: 'label', name: this.defineLabel(m[1]!) });
      text = text.slice(m[0].length);
    }
    const section = /^section\s+(.*)$/i.exec(text);
    if (section !== null) this.openSection(section[1]!);
    else if (text !== '') this.statement(line, text, this.items());
  }

  private items(): Item[] {
    if (this.section === undefined) throw new AssemblyError('no section yet');
    return this.section.items;
  }

  private add(item: Item): void {
    this.items().push(item);
  }

  private defineLabel(name: string): string {
    const full = this.expand(name);
    if (!name.startsWith('.')) this.lastLabel = name;
    return full;
  }

  /** `.name` belongs to the label before it; `..@` names are unique already. */
  private readonly expand = (name: string): string =>
    name.startsWith('.') && !name.startsWith('..') ? this.lastLabel + name : name;

  private statement(line: Line, text: string, into: Item[]): void {
    const equ = /^([A-Za-z_.][\w.]*)\s+equ\s+(.*)$/i.exec(text);
    if (equ !== null) {
      this.defineConstant(line, this.expand(equ[1]!), this.expression(equ[2]!), into);
      return;
    }
    const m = /^(\S+)\s*(.*)$/.exec(text)!;
    const word = m[1]!.toLowerCase();
    const rest = m[2]!;
    if (word in DATA_WIDTHS) into.push({ line, kind: 'data', width: DATA_WIDTHS[word]!, values: this.values(rest) });
    else if (word in RESERVE_WIDTHS) {
      const count = this.expression(rest);
      const width: Expression = { kind: 'number', value: RESERVE_WIDTHS[word]! };
      into.push({ line, kind: 'reserve', bytes: { kind: 'binary', operator: '*', left: count, right: width } });
    } else if (word === 'align') {
      into.push({
        line,
        kind: 'align',
        to: this.constantNumber(rest),
        fill: this.section!.name === '.text' ? 0x90 : 0,
      });
    } else if (word === 'times') {
      const repeated = [...rest.matchAll(/\s([a-z]\w*)\b/gi)].find((each) => this.beginsStatement(each[1]!));
      if (repeated === undefined) throw new AssemblyError('times what?');
      const count = this.expression(rest.slice(0, repeated.index));
      const items: Item[] = [];
      this.statement(line, rest.slice(repeated.index + 1), items);
      into.push({ line, kind: 'times', count, items });
    } else into.push({ line, kind: 'instruction', instruction: this.instruction(text) });
  }

  private beginsStatement(word: string): boolean {
    const lower = word.toLowerCase();
    return lower in DATA_WIDTHS || prefixNamed(lower) !== undefined || this.encoder.knows(lower);
  }

  private defineConstant(line: Line, name: string, value: Expression, into: Item[]): void {
    if (isConstantExpression(value, (each) => this.constants.has(each))) {
      this.constants.set(name, this.constantValue(value)!);
    }
    into.push({ line, kind: 'equ', name, value });
  }

  private openSection(text: string): void {
    const [name, ...attributes] = text.split(/\s+/) as [string, ...string[]];
    let section = this.sections.find((each) => each.name === name);
    if (section === undefined) {
      section = { name, align: 16, zero: false, items: [] };
      this.sections.push(section);
    }
    for (const attribute of attributes) {
      const [key, value] = attribute.split('=') as [string, string];
      if (key === 'physical') section.physical = this.constantNumber(value);
      else if (key === 'virtual') section.virtual = this.constantNumber(value);
      else if (key === 'align') section.align = this.constantNumber(value);
      else if (key === 'zero') section.zero = true;
      else throw new AssemblyError(`unknown section attribute ${key}`);
    }
    this.section = section;
  }

  private values(text: string): (Expression | string)[] {
    return splitTokens(tokenize(text)).map((tokens) => {
      const first = tokens[0];
      if (tokens.length === 1 && first?.kind === 'string') return first.text;
      return this.whole(tokens);
    });
  }

  private instruction(text: string): Instruction {
    const prefixes: number[] = [];
    let rest = text;
    while (true) {
      const m = /^(\S+)\s*(.*)$/.exec(rest)!;
      const prefix = prefixNamed(m[1]!.toLowerCase());
      if (prefix === undefined || m[2] === '') {
        const operands = m[2] === '' ? [] : splitTokens(tokenize(m[2]!)).map((t) => parseOperand(t, this.expand));
        return this.encoder.choose(m[1]!.toLowerCase(), operands.map(this.fold), prefixes, this.surroundings);
      }
      prefixes.push(prefix);
      rest = m[2]!;
    }
  }

  /** A displacement made of constants becomes a number, so that its size is known for good. */
  private readonly fold = (operand: Operand): Operand => {
    if (operand.kind !== 'memory' || operand.displacement === undefined) return operand;
    const value = this.constantValue(operand.displacement);
    return value === undefined ? operand : { ...operand, displacement: { kind: 'number', value } };
  };

  private readonly surroundings: Surroundings = {
    value: () => 0,
    constant: (expression) => this.constantValue(expression),
  };

  private constantValue(expression: Expression): number | undefined {
    if (!isConstantExpression(expression, (name) => this.constants.has(name))) return undefined;
    return evaluate(expression, { here: 0, valueOf: (name) => this.constants.get(name)! });
  }

  private constantNumber(text: string): number {
    const value = this.constantValue(this.expression(text));
    if (value === undefined) throw new AssemblyError(`${text} must be a constant`);
    return value;
  }

  private expression(text: string): Expression {
    return this.whole(tokenize(text));
  }

  private whole(tokens: readonly Token[]): Expression {
    const reader = new TokenReader(tokens);
    const expression = parseExpression(reader, this.expand);
    if (!reader.done) throw new AssemblyError('something follows the expression');
    return expression;
  }
}

/** Cuts at commas outside parentheses and brackets. */
function splitTokens(tokens: readonly Token[]): Token[][] {
  const parts: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (token.kind === 'sign') {
      if (token.text === '(' || token.text === '[') depth++;
      if (token.text === ')' || token.text === ']') depth--;
      if (token.text === ',' && depth === 0) {
        parts.push([]);
        continue;
      }
    }
    parts[parts.length - 1]!.push(token);
  }
  return parts;
}
