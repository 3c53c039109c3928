/**
 * npm run book: prints the numbered chapters of the sources in reading order, the way the original's
 * `make Guest`, `make Host` … did. docs/development.md, "The book", describes the markers.
 *
 *   npm run book [-- [--markdown] [PART…]]     PART is a letter: npm run book -- H
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The parts in reading order. */
export const PARTS: Readonly<Record<string, string>> = {
  P: 'Preparation',
  G: 'The Guest',
  D: 'The Drivers',
  L: 'The Launcher',
  H: 'The Host',
  M: 'The Machine Underneath',
};

export interface Section {
  /** Letter of the part. */
  part: string;
  /** Place in the part; `H:100` is 100. */
  number: number;
  file: string;
  /** Line of the marker, counted from 1. */
  line: number;
  /** First line of the comment, where it is short and stands alone; else empty. */
  title: string;
  /** The rest of the comment, without its frame. */
  text: string;
  /** What follows the comment, up to the next marker or end marker, without imports; may be empty. */
  code: string;
}

const MARKER = /\/\*(?:([A-Z]):(\d{3})|:(?=\*\/))([\s\S]*?)\*\//g;

/** Takes ` * ` from the left margin and blank lines from both ends. */
function unframe(comment: string): string {
  const lines = comment.split('\n').map((line) => line.replace(/^\s*\*? ?/, '').trimEnd());
  return lines.join('\n').trim();
}

const IMPORTS = /^import\b[^;]*;\n/gm;

/** Splits a heading from the text below it. */
function splitTitle(comment: string): { title: string; text: string } {
  const [, title, text] = /^([^\n]{1,60}?)\.?\n\n([\s\S]*)$/.exec(comment) ?? [];
  return { title: title ?? '', text: text ?? comment };
}

/** Removes blank lines at both ends and the indentation that all lines share. */
function dedent(code: string): string {
  const lines = code.replace(/^(?:[ \t]*\n)+|\s+$/g, '').split('\n');
  const indents = lines.filter((line) => line.trim() !== '').map((line) => line.search(/\S/));
  const shared = Math.min(...indents);
  return indents.length === 0 ? '' : lines.map((line) => line.slice(shared).trimEnd()).join('\n');
}

/** The sections of one file, in the order of the file. */
export function parseSections(file: string, source: string): Section[] {
  const marks = [...source.matchAll(MARKER)];
  return marks.flatMap((mark, index) => {
    const [whole, part, number, comment] = mark;
    if (part === undefined) return [];
    const end = marks[index + 1]?.index ?? source.length;
    const line = source.slice(0, mark.index).split('\n').length;
    const code = dedent(source.slice(mark.index + whole.length, end).replace(IMPORTS, ''));
    return [{ part, number: Number(number), file, line, ...splitTitle(unframe(comment!)), code }];
  });
}

function byPlace(a: Section, b: Section): number {
  const letters = Object.keys(PARTS);
  return letters.indexOf(a.part) - letters.indexOf(b.part) || a.number - b.number;
}

/** Sorts into reading order. Throws a sentence when a letter is unknown or two sections claim one place. */
export function orderSections(sections: readonly Section[]): Section[] {
  const sorted = [...sections].sort(byPlace);
  sorted.forEach((section, index) => {
    const where = `${section.file}:${section.line}`;
    const before = sorted[index - 1];
    if (!(section.part in PARTS)) throw new Error(`${where}: ${section.part} is no part of the book`);
    if (before !== undefined && byPlace(before, section) === 0) {
      throw new Error(`${where}: ${place(section)} stands in ${before.file}:${before.line} too`);
    }
  });
  return sorted;
}

function place(section: Section): string {
  return `${section.part}:${String(section.number).padStart(3, '0')}`;
}

function renderText(section: Section): string {
  const code = section.code.replace(/^(?=.)/gm, '    ');
  const head = `[${place(section)}  ${section.file}:${section.line}]`;
  const title = section.title && `${section.title}\n${'-'.repeat(section.title.length)}`;
  return [head, title, section.text, code].filter((block) => block !== '').join('\n\n');
}

function renderMarkdown(section: Section): string {
  const code = section.code && `\`\`\`ts\n${section.code}\n\`\`\``;
  const head = `### ${section.title || place(section)}\n${section.title && `${place(section)} · `}[${section.file}](${section.file}#L${section.line})`;
  return [head, section.text, code].filter((block) => block !== '').join('\n\n');
}

/** The whole book; `sections` in reading order. */
export function renderBook(sections: readonly Section[], markdown: boolean): string {
  const blocks: string[] = [];
  sections.forEach((section, index) => {
    if (section.part !== sections[index - 1]?.part) {
      const title = PARTS[section.part]!;
      blocks.push(markdown ? `## ${title}` : `${title.toUpperCase()}\n${'='.repeat(title.length)}`);
    }
    blocks.push(markdown ? renderMarkdown(section) : renderText(section));
  });
  return blocks.map((block) => `${block}\n`).join('\n');
}

/** Every section of the sources below the given folders, in reading order. */
export function readBook(folders: readonly string[]): Section[] {
  const files = folders
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)))
    .filter((file) => /\.(?:ts|asm|s)$/.test(file))
    .sort();
  return orderSections(files.flatMap((file) => parseSections(file, readFileSync(file, 'utf8'))));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const parts = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
  const sections = readBook(['guest', 'src']).filter(({ part }) => parts.length === 0 || parts.includes(part));
  process.stdout.write(renderBook(sections, process.argv.includes('--markdown')));
}
