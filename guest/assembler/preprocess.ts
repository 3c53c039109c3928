/**
 * The preprocessor: conditions, repetitions and macros of the assembler language become plain lines.
 *
 *   %if EXPR / %elif EXPR / %else / %endif    which lines there are (generations, PAE)
 *   %rep EXPR … %endrep                        the same lines several times
 *   %assign NAME EXPR                          a number that later lines see as text
 *   %macro NAME COUNT … %endmacro              %1…%9 are the arguments, %%name a label of this use alone
 *   %[NAME]                                    the number of NAME inside a word, as in stub_%[n]
 *   ; …                                        comment; a block between slash-star and star-slash too
 */

import { AssemblyError, evaluate, parseExpression, TokenReader, tokenize } from './expressions.js';

/** One source text with the name used in messages. */
export interface Source {
  name: string;
  text: string;
}

/** One line that is left over. */
export interface Line {
  text: string;
  file: string;
  line: number;
}

interface Macro {
  parameters: number;
  body: Line[];
}

/** Lines of all macro uses and repetitions together; guards against a macro that uses itself. */
const MOST_LINES = 1_000_000;

/** Runs the preprocessor over `sources`; `defines` are numbers known from outside. */
export function preprocess(sources: readonly Source[], defines: Readonly<Record<string, number>>): Line[] {
  const work = new Preprocessor(defines);
  for (const source of sources) work.run(splitLines(source));
  return work.output;
}

/** Cuts a source into lines and blanks out comments, keeping line numbers. */
function splitLines(source: Source): Line[] {
  const text = source.text.replace(/\/\*[\s\S]*?\*\//g, (block) => block.replace(/[^\n]/g, ' '));
  return text.split('\n').map((raw, i) => ({ text: stripComment(raw), file: source.name, line: i + 1 }));
}

function stripComment(raw: string): string {
  let quote = '';
  for (let i = 0; i < raw.length; i++) {
    const c = raw[i]!;
    if (quote !== '') {
      if (c === quote) quote = '';
    } else if (c === '"' || c === "'") quote = c;
    else if (c === ';') return raw.slice(0, i).trim();
  }
  return raw.trim();
}

/** Splits macro arguments at commas outside quotes and brackets; braces hold one argument together. */
export function splitArguments(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quote = '';
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (quote !== '') {
      if (c === quote) quote = '';
    } else if (c === '"' || c === "'") quote = c;
    else if (c === '(' || c === '[' || c === '{') depth++;
    else if (c === ')' || c === ']' || c === '}') depth--;
    else if (c === ',' && depth === 0) {
      parts.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  const last = text.slice(start).trim();
  if (last !== '' || parts.length > 0) parts.push(last);
  return parts.map((part) => part.replace(/^\{(.*)\}$/, '$1'));
}

class Preprocessor {
  readonly output: Line[] = [];
  private readonly numbers: Map<string, number>;
  private readonly macros = new Map<string, Macro>();
  private uses = 0;

  constructor(defines: Readonly<Record<string, number>>) {
    this.numbers = new Map(Object.entries(defines));
  }

  run(lines: readonly Line[]): void {
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i]!;
      const words = /^%(\w+)\s*(.*)$/.exec(line.text);
      try {
        if (words === null) this.plain(line);
        else i = this.directive(words[1]!, words[2]!, lines, i);
      } catch (error) {
        if (error instanceof AssemblyError && !error.message.includes(': ')) {
          throw new AssemblyError(`${line.file}:${line.line}: ${error.message}`);
        }
        throw error;
      }
    }
  }

  /** Handles the directive on line `i`; returns the index of the last line it used. */
  private directive(name: string, rest: string, lines: readonly Line[], i: number): number {
    switch (name) {
      case 'if':
        return this.condition(lines, i);
      case 'assign': {
        const m = /^(\w+)\s+(.+)$/.exec(rest);
        if (m === null) throw new AssemblyError('%assign needs a name and a value');
        this.numbers.set(m[1]!, this.number(m[2]!));
        return i;
      }
      case 'rep': {
        const end = findEnd(lines, i, 'rep', 'endrep');
        const body = lines.slice(i + 1, end);
        const count = this.number(rest);
        for (let n = 0; n < count; n++) this.run(body);
        return end;
      }
      case 'macro': {
        const m = /^(\w+)\s+(\d)$/.exec(rest);
        if (m === null) throw new AssemblyError('%macro needs a name and a number of arguments');
        const end = findEnd(lines, i, 'macro', 'endmacro');
        this.macros.set(m[1]!, { parameters: Number(m[2]), body: lines.slice(i + 1, end) });
        return end;
      }
      default:
        throw new AssemblyError(`unknown directive %${name}`);
    }
  }

  private condition(lines: readonly Line[], start: number): number {
    let taken = false;
    let at = start;
    while (true) {
      const words = /^%(\w+)\s*(.*)$/.exec(lines[at]!.text)!;
      const holds = words[1] === 'else' || this.number(words[2]!) !== 0;
      const end = findBranchEnd(lines, at);
      if (!taken && holds) {
        taken = true;
        this.run(lines.slice(at + 1, end));
      }
      if (lines[end]!.text.startsWith('%endif')) return end;
      at = end;
    }
  }

  private plain(line: Line): void {
    if (line.text === '') return;
    const text = this.substitute(line.text);
    const m = /^((?:[\w.?@$]+:\s*)?)(\w+)(?:\s+(.*))?$/.exec(text);
    const macro = m === null ? undefined : this.macros.get(m[2]!);
    if (m === null || macro === undefined) {
      if (this.output.length > MOST_LINES) throw new AssemblyError('too many lines: does a macro use itself?');
      this.output.push({ ...line, text });
      return;
    }
    if (m[1] !== '') this.output.push({ ...line, text: m[1]!.trim() });
    const args = splitArguments(m[3] ?? '');
    if (args.length !== macro.parameters) {
      throw new AssemblyError(`${m[2]} takes ${macro.parameters} arguments, not ${args.length}`);
    }
    const use = ++this.uses;
    this.run(
      macro.body.map((inner) => ({
        file: line.file,
        line: line.line,
        text: inner.text.replace(/%%(\w+)|%(\d)/g, (_, label, n) =>
          label !== undefined ? `..@${use}.${label}` : (args[Number(n) - 1] ?? ''),
        ),
      })),
    );
  }

  /** Puts the values of %assign names and outside defines in place of their names, outside quotes. */
  private substitute(text: string): string {
    return text
      .replace(/%\[(\w+)\]/g, (_, name) => String(this.number(name)))
      .replace(/'[^']*'|"[^"]*"|(?<![\w.@])[A-Za-z_]\w*(?![\w:])/g, (word) => String(this.numbers.get(word) ?? word));
  }

  private number(text: string): number {
    const reader = new TokenReader(tokenize(this.substitute(text)));
    const tree = parseExpression(reader, (name) => name);
    return evaluate(tree, {
      here: 0,
      valueOf: (name) => {
        throw new AssemblyError(`${name} is not known to the preprocessor`);
      },
    });
  }
}

/** Index of the line that closes the block opened on line `start`. */
function findEnd(lines: readonly Line[], start: number, open: string, close: string): number {
  let depth = 0;
  for (let i = start; i < lines.length; i++) {
    if (lines[i]!.text.startsWith(`%${open}`)) depth++;
    if (lines[i]!.text.startsWith(`%${close}`) && --depth === 0) return i;
  }
  throw new AssemblyError(`%${open} without %${close}`);
}

/** Index of the %elif, %else or %endif that ends the branch beginning on line `start`. */
function findBranchEnd(lines: readonly Line[], start: number): number {
  let depth = 0;
  for (let i = start + 1; i < lines.length; i++) {
    const text = lines[i]!.text;
    if (text.startsWith('%if')) depth++;
    else if (depth === 0 && /^%(elif|else|endif)/.test(text)) return i;
    else if (text.startsWith('%endif')) depth--;
  }
  throw new AssemblyError('%if without %endif');
}
