/**
 * A small assembler for 32-bit x86: Intel-style text in, an ELF executable out.
 *
 * The language is the one of this folder's files: statements (`statements.ts`), expressions (`expressions.ts`),
 * operands (`operands.ts`), macros and conditions (`preprocess.ts`), and the instruction rows (`instructions.ts`).
 *
 * Sizes settle by repetition. Jumps begin short; in each pass all addresses are worked out with the sizes of
 * the pass before, and a jump that does not reach its target becomes long for good. Nothing ever shrinks, so the
 * repetition ends.
 */

import { alignUp, type LinkedSection, type LinkedSymbol, writeElf } from './elf.js';
import { Encoder, OutOfReach, pushNumber, type Surroundings } from './encode.js';
import { AssemblyError, type Expression, evaluate } from './expressions.js';
import { preprocess, type Source } from './preprocess.js';
import { type Item, parseLines, type Program, placeError, type SectionSource } from './statements.js';

export { AssemblyError } from './expressions.js';
export type { Source } from './preprocess.js';

export interface AssemblyOptions {
  /** Numbers that `%if` and the text may use. */
  defines?: Readonly<Record<string, number>>;
  /** Symbol where execution begins; e_entry is its *physical* address. Default: start of the first section. */
  entry?: string;
}

/** The finished program. */
export interface Assembly {
  sections: readonly LinkedSection[];
  /** Every label and constant, virtual addresses (unsigned). Local and macro labels are left out. */
  symbols: ReadonlyMap<string, number>;
  /** Physical address of the entry point. */
  entry: number;
  /** The program as an ELF32 executable. */
  elf: Uint8Array;
}

const MOST_PASSES = 100;

/** Assembles `sources`, in order, into one program. Throws `AssemblyError` with file and line. */
export function assemble(sources: readonly Source[], options: AssemblyOptions = {}): Assembly {
  const encoder = new Encoder();
  const parsed = parseLines(preprocess(sources, options.defines ?? {}), encoder);
  const layout = new Layout(parsed, encoder);
  layout.settle();
  const sections = layout.sections;
  const symbols = new Map<string, number>();
  const listed: LinkedSymbol[] = [];
  for (const [name, symbol] of layout.symbols) {
    if (name.includes('.')) continue;
    symbols.set(name, symbol.value >>> 0);
    listed.push({ name, value: symbol.value >>> 0, section: symbol.section });
  }
  const first = sections[0];
  if (first === undefined) throw new AssemblyError('the program is empty');
  let entry = first.physical;
  if (options.entry !== undefined) {
    const symbol = layout.symbols.get(options.entry);
    if (symbol === undefined) throw new AssemblyError(`no symbol ${options.entry}`);
    const home = sections[symbol.section] ?? first;
    entry = symbol.value - home.virtual + home.physical;
  }
  return { sections, symbols, entry, elf: writeElf(sections, listed, entry) };
}

/** Bytes of a single piece of code or data assembled for address `at` (for tests and for patching). */
export function assembleBytes(text: string, at = 0): Uint8Array {
  return assemble([{ name: 'text', text: `section .text physical=${at} virtual=${at}\n${text}` }]).sections[0]!.bytes;
}

interface Symbol {
  value: number;
  section: number;
}

class Layout {
  sections: LinkedSection[] = [];
  symbols = new Map<string, Symbol>();
  private previous = new Map<string, Symbol>();
  private readonly sources: readonly SectionSource[];
  private readonly encoder: Encoder;
  /** Set while a pass runs: something moved since the pass before. */
  private moved = false;
  private firstPass = true;
  private here = 0;

  constructor(program: Program, encoder: Encoder) {
    this.sources = program.sections;
    this.encoder = encoder;
    for (const [name, value] of program.constants) this.symbols.set(name, { value, section: -1 });
  }

  settle(): void {
    for (let pass = 0; pass < MOST_PASSES; pass++) {
      this.pass();
      if (!this.moved) return;
    }
    throw new AssemblyError('the layout does not settle');
  }

  private pass(): void {
    this.previous = this.symbols;
    this.symbols = new Map();
    this.moved = this.firstPass;
    this.sections = [];
    let physical = 0;
    let bias = 0;
    this.sources.forEach((source, index) => {
      const start = alignUp(source.physical ?? physical, source.align);
      if (start < physical) throw new AssemblyError(`${source.name} begins inside the section before it`);
      const address = source.virtual ?? start + bias;
      if (index === 0) bias = address - start;
      const out: number[] = [];
      const zeros = this.fill(source.items, index, address, out);
      if (source.zero && out.length > 0) throw new AssemblyError(`${source.name} may hold no contents`);
      const size = source.zero ? zeros : out.length;
      this.sections.push({
        name: source.name,
        physical: start,
        virtual: address,
        bytes: Uint8Array.from(out),
        size,
        zero: source.zero,
      });
      physical = start + size;
    });
    for (const [name, symbol] of this.symbols) {
      if (this.previous.get(name)?.value !== symbol.value) this.moved = true;
    }
    this.firstPass = false;
  }

  /** Lays out `items` from `address` on; returns the bytes reserved in a zero section. */
  private fill(items: readonly Item[], section: number, address: number, out: number[]): number {
    const zero = this.sources[section]!.zero;
    let reserved = 0;
    for (const item of items) {
      this.here = address + out.length + reserved;
      try {
        const bytes = this.place(item, section, address + reserved, out);
        if (zero) reserved += bytes;
        else for (let i = 0; i < bytes; i++) out.push(0);
      } catch (error) {
        throw placeError(error, item.line);
      }
    }
    return reserved;
  }

  /** Places one item; returns how many zero bytes it asks for. */
  private place(item: Item, section: number, base: number, out: number[]): number {
    switch (item.kind) {
      case 'label':
        this.define(item.name, this.here, section);
        return 0;
      case 'equ':
        this.define(item.name, this.value(item.value), -1);
        return 0;
      case 'data':
        this.placeData(item.width, item.values, out);
        return 0;
      case 'reserve':
        return this.value(item.bytes);
      case 'align': {
        const gap = alignUp(this.here, item.to) - this.here;
        if (this.sources[section]!.zero) return gap;
        for (let i = 0; i < gap; i++) out.push(item.fill);
        return 0;
      }
      case 'times': {
        const count = this.value(item.count);
        if (count < 0 || count > 1 << 24) throw new AssemblyError(`times ${count}`);
        for (let i = 0; i < count; i++) this.fill(item.items, section, base, out);
        return 0;
      }
      case 'instruction':
        this.placeInstruction(item, out);
        return 0;
    }
  }

  private placeInstruction(item: Item & { kind: 'instruction' }, out: number[]): void {
    const start = out.length;
    try {
      this.encoder.encode(item.instruction, this.here, out, this.surroundings);
    } catch (error) {
      const longer = item.instruction.longer;
      if (!(error instanceof OutOfReach)) throw error;
      if (longer === undefined) {
        // loop, jecxz and jumps written as `short`: fatal once the labels are known.
        if (!this.firstPass && !this.moved) throw error;
        out.push(0);
        return;
      }
      out.length = start;
      item.instruction = { ...item.instruction, form: longer, longer: undefined };
      this.moved = true;
      this.encoder.encode(item.instruction, this.here, out, this.surroundings);
    }
  }

  private placeData(width: number, values: readonly (Expression | string)[], out: number[]): void {
    for (const value of values) {
      if (typeof value === 'string') {
        for (let i = 0; i < value.length; i++) out.push(value.charCodeAt(i) & 0xff);
        while (out.length % width !== 0 && width > 1) out.push(0);
      } else if (width === 8) {
        const number = this.value(value);
        pushNumber(number, 4, out);
        pushNumber(Math.floor(number / 2 ** 32), 4, out);
      } else pushNumber(this.value(value), width, out);
    }
  }

  private define(name: string, value: number, section: number): void {
    if (this.symbols.has(name)) throw new AssemblyError(`${name} is defined twice`);
    this.symbols.set(name, { value, section });
  }

  private value(expression: Expression): number {
    return evaluate(expression, {
      here: this.here,
      valueOf: (name) => {
        const symbol = this.symbols.get(name) ?? this.previous.get(name);
        if (symbol !== undefined) return symbol.value;
        if (this.firstPass) return this.here;
        throw new AssemblyError(`unknown symbol ${name}`);
      },
    });
  }

  private readonly surroundings: Surroundings = {
    value: (expression) => this.value(expression),
    // The parser has folded what is constant; everything else may move from pass to pass.
    constant: (expression) => (expression.kind === 'number' ? expression.value : undefined),
  };
}
