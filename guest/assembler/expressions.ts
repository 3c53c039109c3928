/**
 * Tokens and integer expressions of the assembler language.
 *
 * An expression is parsed once into a tree and evaluated in every layout pass, because labels move until the
 * jump sizes have settled. Values are plain integers; only the place that stores one narrows it to its width.
 */

/** A mistake in the source text, with its place. */
export class AssemblyError extends Error {
  override name = 'AssemblyError';
}

export type Token =
  | { kind: 'number'; value: number }
  | { kind: 'word'; text: string }
  | { kind: 'string'; text: string }
  | { kind: 'sign'; text: string };

const TOKEN =
  /\s*(?:(0[xX][0-9a-fA-F_]+|0[bB][01_]+|[0-9][0-9_]*)(?![\w])|([A-Za-z_.?@$][\w.?@$]*)|'([^']*)'|"([^"]*)"|(<<|>>|==|!=|<=|>=|&&|\|\||[-+*/%&|^~!()[\]:,<>]))/y;

/** Splits `text` into tokens; throws at the first character that begins none. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (true) {
    const at = TOKEN.lastIndex;
    if (text.slice(at).trim() === '') return tokens;
    const m = TOKEN.exec(text);
    if (m === null) throw new AssemblyError(`cannot read "${text.slice(at).trim()}"`);
    if (m[1] !== undefined) tokens.push({ kind: 'number', value: Number(m[1].replaceAll('_', '')) });
    else if (m[2] !== undefined) tokens.push({ kind: 'word', text: m[2] });
    else if (m[3] !== undefined) tokens.push({ kind: 'string', text: m[3] });
    else if (m[4] !== undefined) tokens.push({ kind: 'string', text: m[4] });
    else tokens.push({ kind: 'sign', text: m[5]! });
  }
}

/** A parsed expression. */
export type Expression =
  | { kind: 'number'; value: number }
  | { kind: 'symbol'; name: string }
  | { kind: 'here' }
  | { kind: 'unary'; operator: string; of: Expression }
  | { kind: 'binary'; operator: string; left: Expression; right: Expression };

/** What an expression needs to know about its surroundings. */
export interface Scope {
  /** Value of a symbol; throws when there is none. */
  valueOf(name: string): number;
  /** Virtual address of the statement, `$`. */
  here: number;
}

/** Binary operators by increasing strength. */
const STRENGTH: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<', '<=', '>', '>='],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];

/** Reads tokens one after the other. */
export class TokenReader {
  private readonly tokens: readonly Token[];
  private at = 0;
  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
  }
  peek(ahead = 0): Token | undefined {
    return this.tokens[this.at + ahead];
  }
  next(): Token | undefined {
    return this.tokens[this.at++];
  }
  get done(): boolean {
    return this.at >= this.tokens.length;
  }
  /** Takes the sign `text` if it is next. */
  takeSign(text: string): boolean {
    const token = this.peek();
    if (token?.kind !== 'sign' || token.text !== text) return false;
    this.at++;
    return true;
  }
  /** Takes one of `words` (any case) if it is next. */
  takeWord(...words: string[]): string | undefined {
    const token = this.peek();
    if (token?.kind !== 'word') return undefined;
    const word = token.text.toLowerCase();
    if (!words.includes(word)) return undefined;
    this.at++;
    return word;
  }
  expectSign(text: string): void {
    if (!this.takeSign(text)) throw new AssemblyError(`"${text}" expected`);
  }
}

/** Parses an expression; `expand` completes local label names. */
export function parseExpression(reader: TokenReader, expand: (name: string) => string, level = 0): Expression {
  if (level === STRENGTH.length) return parsePrimary(reader, expand);
  let left = parseExpression(reader, expand, level + 1);
  while (true) {
    const token = reader.peek();
    if (token?.kind !== 'sign' || !STRENGTH[level]!.includes(token.text)) return left;
    reader.next();
    left = { kind: 'binary', operator: token.text, left, right: parseExpression(reader, expand, level + 1) };
  }
}

function parsePrimary(reader: TokenReader, expand: (name: string) => string): Expression {
  const token = reader.next();
  if (token === undefined) throw new AssemblyError('an expression ends too early');
  switch (token.kind) {
    case 'number':
      return token;
    case 'word':
      return token.text === '$' ? { kind: 'here' } : { kind: 'symbol', name: expand(token.text) };
    case 'string':
      return { kind: 'number', value: packCharacters(token.text) };
    case 'sign':
      if (token.text === '(') {
        const inner = parseExpression(reader, expand);
        reader.expectSign(')');
        return inner;
      }
      if (['-', '+', '~', '!'].includes(token.text)) {
        return { kind: 'unary', operator: token.text, of: parsePrimary(reader, expand) };
      }
      throw new AssemblyError(`"${token.text}" cannot begin an expression`);
  }
}

/** Up to four characters as a little-endian number: 'ab' is 0x6261. */
function packCharacters(text: string): number {
  if (text.length === 0 || text.length > 4) throw new AssemblyError(`'${text}' is no number`);
  let value = 0;
  for (let i = text.length - 1; i >= 0; i--) value = value * 256 + (text.charCodeAt(i) & 0xff);
  return value;
}

/** Value of an expression; may exceed 32 bits in between. */
export function evaluate(expression: Expression, scope: Scope): number {
  switch (expression.kind) {
    case 'number':
      return expression.value;
    case 'symbol':
      return scope.valueOf(expression.name);
    case 'here':
      return scope.here;
    case 'unary': {
      const value = evaluate(expression.of, scope);
      if (expression.operator === '-') return -value;
      if (expression.operator === '~') return ~value;
      if (expression.operator === '!') return value === 0 ? 1 : 0;
      return value;
    }
    case 'binary':
      return combine(expression.operator, evaluate(expression.left, scope), evaluate(expression.right, scope));
  }
}

function combine(operator: string, a: number, b: number): number {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      if (b === 0) throw new AssemblyError('division by zero');
      return Math.trunc(a / b);
    case '%':
      if (b === 0) throw new AssemblyError('division by zero');
      return a % b;
    case '<<':
      return (a << b) >>> 0;
    case '>>':
      return a >>> b;
    case '&':
      return (a & b) >>> 0;
    case '|':
      return (a | b) >>> 0;
    case '^':
      return (a ^ b) >>> 0;
    case '==':
      return Number(a === b);
    case '!=':
      return Number(a !== b);
    case '<':
      return Number(a < b);
    case '<=':
      return Number(a <= b);
    case '>':
      return Number(a > b);
    case '>=':
      return Number(a >= b);
    case '&&':
      return Number(a !== 0 && b !== 0);
    default:
      return Number(a !== 0 || b !== 0);
  }
}

/** Does the value depend on nothing but constants? `isConstant` answers for a symbol. */
export function isConstantExpression(expression: Expression, isConstant: (name: string) => boolean): boolean {
  switch (expression.kind) {
    case 'number':
      return true;
    case 'symbol':
      return isConstant(expression.name);
    case 'here':
      return false;
    case 'unary':
      return isConstantExpression(expression.of, isConstant);
    case 'binary':
      return isConstantExpression(expression.left, isConstant) && isConstantExpression(expression.right, isConstant);
  }
}
