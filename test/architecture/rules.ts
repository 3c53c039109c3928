/** The rules of the house (docs/architecture.md) as data, and the functions that find what breaks them. */

import { posix } from 'node:path';

/** Room → rooms it may import besides itself. */
export const ROOMS: Record<string, readonly string[]> = {
  launcher: ['vm', 'platform', 'formats', 'guest'],
  web: ['vm', 'platform'],
  vm: [
    ...['host', 'pc', 'boot', 'virtio', 'net', 'cpu', 'jit', 'isa', 'fpu', 'memory', 'wasm', 'formats', 'debug'],
    'platform',
  ],
  host: ['cpu', 'memory', 'virtio'],
  pc: ['cpu', 'memory', 'virtio'],
  boot: ['memory', 'formats'],
  virtio: ['memory'],
  net: [],
  cpu: ['isa', 'fpu', 'memory', 'wasm'],
  jit: ['isa', 'cpu', 'wasm', 'memory'],
  isa: [],
  fpu: [],
  memory: [],
  wasm: [],
  formats: [],
  debug: ['isa', 'cpu', 'memory'],
  platform: [],
  guest: ['formats'],
};

/** Files that are tables: one entry per line, any length. */
export const TABLES: readonly string[] = [];
export const LONGEST_FILE_LINES = 900;

/** Rooms that talk to the world outside the machine. */
const WORLDLY = new Set(['platform', 'launcher', 'web']);

/** What reaches the world without an import. Code made from text is forbidden everywhere, worldly or not. */
const WORLDLY_NAMES =
  /(?<![.\w$])(?:(?:process|document|localStorage|crypto|performance|console|Buffer)\s*\??\.|require\s*\(|fetch\s*\(|set(?:Timeout|Interval|Immediate)\s*\(|new\s+(?:Worker|WebSocket|Date)\b|Date\.now\b|Math\.random\b)/g;
const CODE_FROM_TEXT = /(?<![.\w$])(?:eval\s*\(|new\s+Function\b)/g;

/** `src/cpu/state.ts` → `cpu`, `guest/a.ts` → `guest`; undefined for a file outside every room. */
export function roomOf(path: string): string | undefined {
  const [top, second, third] = path.split('/');
  if (top === 'web' || top === 'guest') return top;
  return top === 'src' && third !== undefined ? second : undefined;
}

const COMMENT_OR_STRING = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g;

/** `source` with comments blanked; a `//` in a plain string is none. */
function stripComments(source: string): string {
  return source.replace(COMMENT_OR_STRING, (text) => (text.startsWith('/') ? ' ' : text));
}

/** `source` with comments and the contents of plain strings blanked; template literals stay. */
function stripCommentsAndStrings(source: string): string {
  return source.replace(COMMENT_OR_STRING, (text) => (text.startsWith('/') ? ' ' : "''"));
}

/** Module specifiers of static, dynamic and re-exporting imports, types included. */
export function importsOf(source: string): string[] {
  const pattern = /(?:(?<![.\w$])(?:import|from)|(?<![.\w$])import\s*\()\s*(['"])([^'"\n]+)\1/g;
  return [...stripComments(source).matchAll(pattern)].map((match) => match[2]!);
}

/** Whether `code` gives the name its own meaning, as a parameter or a declaration. */
function declares(code: string, name: string): boolean {
  return new RegExp(`\\b(?:const|let|function|class|interface|type)\\s+${name}\\b|[(,]\\s*${name}\\s*[:,)]`).test(code);
}

/** One sentence for each rule that the file breaks. */
export function findViolations(path: string, source: string): string[] {
  const room = roomOf(path);
  if (room === undefined || !(room in ROOMS)) return [`${path} is in no room of docs/architecture.md`];
  const found: string[] = [];
  for (const specifier of importsOf(source)) {
    if (specifier.startsWith('node:')) {
      if (!WORLDLY.has(room)) found.push(`${path} imports ${specifier}: only platform, launcher and web may`);
      continue;
    }
    if (!specifier.startsWith('.')) {
      found.push(`${path} imports the package ${specifier}: lguest has no run-time dependencies`);
      continue;
    }
    if (!specifier.endsWith('.js')) found.push(`${path} imports ${specifier}: specifiers end in .js`);
    const target = roomOf(posix.join(posix.dirname(path), specifier));
    if (target === undefined) found.push(`${path} imports ${specifier}, which is in no room`);
    else if (target !== room && !ROOMS[room]!.includes(target)) {
      found.push(`${path} imports ${specifier}: ${room} may not import ${target}`);
    }
  }
  const code = stripCommentsAndStrings(source);
  if (!WORLDLY.has(room)) {
    for (const [name] of code.matchAll(WORLDLY_NAMES)) {
      const [word] = /\w+/.exec(name)!;
      if (!declares(code, word)) found.push(`${path} uses ${word}: it belongs in platform`);
    }
  }
  for (const [name] of code.matchAll(CODE_FROM_TEXT)) found.push(`${path} uses ${name}: pages forbid it`);
  const lines = source.split('\n').length;
  if (lines > LONGEST_FILE_LINES && !TABLES.includes(path)) {
    found.push(`${path} has ${lines} lines: split it by concept, or list it as a table in test/architecture/rules.ts`);
  }
  return found;
}
