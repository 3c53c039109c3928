import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderHelp, renderOptionHelp, renderOptionsPage, spellOption } from '../../src/launcher/help.js';
import { createSettings, findOption, GROUPS, OPTIONS } from '../../src/launcher/options.js';

test('names and aliases are unique', () => {
  const spellings = OPTIONS.flatMap((row) => [`--${row.name}`, ...(row.aliases ?? [])]);
  assert.equal(new Set(spellings).size, spellings.length);
  for (const spelling of spellings) assert.ok(findOption(spelling) !== undefined, spelling);
});

test('every row can be shown: a group, one line without full stop, whole sentences behind it', () => {
  for (const row of OPTIONS) {
    assert.ok(GROUPS.includes(row.group), row.name);
    assert.doesNotMatch(row.help, /\n|\.$/, row.name);
    assert.ok(`  ${spellOption(row)}  ${row.help}`.length <= 100, row.name);
    if (row.unavailable !== undefined) assert.match(row.unavailable, /^[a-z].*\.$/, row.name);
  }
});

test('--help lists every option that is not hidden, by group', () => {
  const help = renderHelp();
  for (const row of OPTIONS) assert.equal(help.includes(`  ${spellOption(row)} `), row.hidden !== true, row.name);
  for (const group of GROUPS) assert.ok(help.includes(`\n${group}\n`), group);
  for (const line of help.split('\n')) assert.ok(line.length <= 110, line);
});

test('`lguest help OPTION` says everything the row knows', () => {
  const text = renderOptionHelp(findOption('--memory')!);
  assert.match(text, /^--memory=MB {2}the guest's memory in megabytes\n\n/);
  assert.match(text, /1 to 1020/);
  assert.match(text, /Default: 128 for the default guest; with --kernel 64, on the pc board 128/);
  assert.match(text, /Also spelled: -m\./);
  assert.match(text, /In programs: memory: number \| string\./);
});

test('the page of the documentation has a heading for every option, hidden ones too', () => {
  const page = renderOptionsPage();
  for (const row of OPTIONS) assert.ok(page.includes(`### \`${spellOption(row)}\`\n`), row.name);
});

test('an option without details still has a help text', () => {
  assert.equal(renderOptionHelp(findOption('--version')!), '--version  which lguest this is\n');
});

test('settings begin with the defaults of the table', () => {
  const { board, clock, generation, pae, trace, verbose } = createSettings();
  assert.deepEqual([board, clock, generation, pae, trace, verbose], ['auto', 'real', 'auto', 'auto', [], false]);
});
