import assert from 'node:assert/strict';
import { test } from 'node:test';
import { orderSections, parseSections, readBook, renderBook } from '../../tools/book.js';

const host = `import { x } from './x.js';

/*H:020
 * The second thing
 *
 * With a paragraph.
 *
 * And another. */
import y from './y.js';

export class Second {
  /*H:030
   * A method. */
  third(): void {
    x();
  }
  /*:*/
  notInTheBook(): void {}
}
`;
const guest = '/*G:005 First words. */\n';

test('a section is its comment and the code up to the next marker or the end marker', () => {
  const sections = parseSections('host.ts', host);
  assert.deepEqual(
    sections.map(({ part, number, line }) => [part, number, line]),
    [
      ['H', 20, 3],
      ['H', 30, 12],
    ],
  );
  assert.equal(sections[0]!.title, 'The second thing');
  assert.equal(sections[0]!.text, 'With a paragraph.\n\nAnd another.');
  assert.equal(sections[0]!.code, 'export class Second {');
  assert.equal(sections[1]!.text, 'A method.');
  assert.equal(sections[1]!.code, 'third(): void {\n  x();\n}');
});

test('the book is in reading order, in text and in Markdown', () => {
  const sections = orderSections([...parseSections('host.ts', host), ...parseSections('guest.ts', guest)]);
  assert.equal(
    renderBook(sections, false),
    [
      'THE GUEST\n=========\n',
      '[G:005  guest.ts:1]\n\nFirst words.\n',
      'THE HOST\n========\n',
      '[H:020  host.ts:3]\n\nThe second thing\n----------------\n\nWith a paragraph.\n\nAnd another.\n\n    export class Second {\n',
      '[H:030  host.ts:12]\n\nA method.\n\n    third(): void {\n      x();\n    }\n',
    ].join('\n'),
  );
  const markdown = renderBook(sections, true);
  assert.match(markdown, /^## The Guest\n\n### G:005\n\[guest\.ts\]\(guest\.ts#L1\)\n\nFirst words\.\n/);
  assert.match(markdown, /^### The second thing\nH:020 · \[host\.ts\]/m);
  assert.match(markdown, /```ts\nthird\(\): void \{\n {2}x\(\);\n\}\n```\n$/);
});

test('two sections with one number, and unknown letters, are told apart by a sentence', () => {
  assert.throws(() => orderSections([...parseSections('a.ts', guest), ...parseSections('b.ts', guest)]), {
    message: 'b.ts:1: G:005 stands in a.ts:1 too',
  });
  assert.throws(() => orderSections(parseSections('a.ts', '/*Z:001 what */')), { message: /Z is no part/ });
});

test("the book of this project's sources can be printed", () => {
  renderBook(readBook(['guest', 'src']), false);
});
