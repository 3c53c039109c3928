import { Code, FUNCREF, OP } from './code.js';

export interface FunctionType {
  readonly parameters: readonly number[];
  readonly results: readonly number[];
}

/** `count` locals of one value type. */
export interface LocalRun {
  readonly type: number;
  readonly count: number;
}

interface FunctionBody {
  readonly type: number;
  readonly locals: readonly LocalRun[];
  readonly code: Uint8Array;
}

/**
 * Assembles one WebAssembly module: imported functions and memory, own functions, one optional table
 * filled with own functions, exports. Section layout: WebAssembly core specification, section 5.5.
 *
 * Invariant: all `importFunction` calls come before the first `addFunction` (imports are numbered first).
 */
export class ModuleBuilder {
  private readonly types: FunctionType[] = [];
  private readonly imports: { module: string; name: string; type: number }[] = [];
  private memoryImport: { module: string; name: string; pages: number } | undefined;
  private tableImport: { module: string; name: string } | undefined;
  private readonly functions: FunctionBody[] = [];
  private readonly exports: { name: string; index: number }[] = [];
  private elements: readonly number[] | undefined;

  type(parameters: readonly number[], results: readonly number[]): number {
    const same = (a: readonly number[], b: readonly number[]): boolean =>
      a.length === b.length && a.every((x, i) => x === b[i]);
    const found = this.types.findIndex((t) => same(t.parameters, parameters) && same(t.results, results));
    if (found >= 0) return found;
    return this.types.push({ parameters, results }) - 1;
  }

  importMemory(module: string, name: string, pages: number): void {
    this.memoryImport = { module, name, pages };
  }

  /** A table of functions; it becomes table 0, and the module's own one table 1. */
  importTable(module: string, name: string): void {
    this.tableImport = { module, name };
  }

  /** Returns the function index. */
  importFunction(module: string, name: string, parameters: readonly number[], results: readonly number[]): number {
    if (this.functions.length > 0) throw new Error('imports come before functions');
    return this.imports.push({ module, name, type: this.type(parameters, results) }) - 1;
  }

  /** The index that `addFunction` will return. */
  get nextFunction(): number {
    return this.imports.length + this.functions.length;
  }

  /** `code` is the body without the closing `end`. Returns the function index. */
  addFunction(
    parameters: readonly number[],
    results: readonly number[],
    locals: readonly LocalRun[],
    code: Uint8Array,
  ): number {
    const body = { type: this.type(parameters, results), locals, code: code.slice() };
    return this.imports.length + this.functions.push(body) - 1;
  }

  exportFunction(name: string, index: number): void {
    this.exports.push({ name, index });
  }

  /** The module's own table (0, or 1 behind an imported one) holds these functions from element 0 on. */
  setTable(functionIndices: readonly number[]): void {
    this.elements = functionIndices;
  }

  build(): Uint8Array<ArrayBuffer> {
    const out = new Code();
    for (const byte of [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]) out.byte(byte);
    section(out, 1, this.types.length, (s, i) => {
      const type = this.types[i]!;
      s.byte(0x60);
      s.u32(type.parameters.length);
      for (const p of type.parameters) s.byte(p);
      s.u32(type.results.length);
      for (const r of type.results) s.byte(r);
    });
    const { tableImport } = this;
    section(out, 2, this.imports.length + (this.memoryImport ? 1 : 0) + (tableImport ? 1 : 0), (s, i) => {
      const imported = this.imports[i];
      if (imported) {
        s.name(imported.module);
        s.name(imported.name);
        s.byte(0x00);
        s.u32(imported.type);
      } else if (tableImport && i === this.imports.length) {
        s.name(tableImport.module);
        s.name(tableImport.name);
        s.byte(0x01);
        s.byte(FUNCREF);
        s.byte(0x00);
        s.u32(0);
      } else {
        const memory = this.memoryImport!;
        s.name(memory.module);
        s.name(memory.name);
        s.byte(0x02);
        s.byte(0x00);
        s.u32(memory.pages);
      }
    });
    section(out, 3, this.functions.length, (s, i) => s.u32(this.functions[i]!.type));
    const elements = this.elements;
    if (elements) {
      section(out, 4, 1, (s) => {
        s.byte(FUNCREF);
        s.byte(0x00);
        s.u32(elements.length);
      });
    }
    section(out, 7, this.exports.length, (s, i) => {
      s.name(this.exports[i]!.name);
      s.byte(0x00);
      s.u32(this.exports[i]!.index);
    });
    if (elements) {
      section(out, 9, 1, (s) => {
        if (tableImport) {
          s.byte(0x02);
          s.u32(1);
        } else s.byte(0x00);
        s.constant(0);
        s.byte(OP.end);
        if (tableImport) s.byte(0x00);
        s.u32(elements.length);
        for (const index of elements) s.u32(index);
      });
    }
    section(out, 10, this.functions.length, (s, i) => writeBody(s, this.functions[i]!));
    return out.bytes().slice();
  }
}

function section(out: Code, id: number, count: number, item: (code: Code, index: number) => void): void {
  if (count === 0) return;
  const content = new Code();
  content.u32(count);
  for (let i = 0; i < count; i++) item(content, i);
  out.byte(id);
  out.u32(content.length);
  out.append(content.bytes());
}

function writeBody(out: Code, body: FunctionBody): void {
  const head = new Code(64);
  head.u32(body.locals.length);
  for (const run of body.locals) {
    head.u32(run.count);
    head.byte(run.type);
  }
  out.u32(head.length + body.code.length + 1);
  out.append(head.bytes());
  out.append(body.code);
  out.byte(OP.end);
}
