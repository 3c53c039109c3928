import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProgramRuns } from '../../bench/measurements.js';
import { formatRatio, renderReport, renderTable } from '../../bench/report.js';

function program(name: string, times: Record<string, number>): ProgramRuns {
  const runs = Object.entries(times).map(([contestant, wallMs]) => {
    return [contestant, [{ wallMs, processorMs: wallMs, status: 0, output: '1' }]] as const;
  });
  return { group: 'g', name, runs: new Map(runs) };
}
const GROUP = { name: 'g', title: 'Group', target: 3 };
const ALL = ['native', 'lguest', 'qemu', 'v86'];

test('tables are aligned Markdown', () => {
  assert.equal(
    renderTable([
      ['a', 'bb'],
      ['long name', '1'],
    ]),
    '| a         |  bb |\n|-----------|----:|\n| long name |   1 |\n',
  );
});

test('ratios have three digits', () => {
  assert.deepEqual([0.333, 9.99, 42.31, 1234, Number.NaN].map(formatRatio), ['0.33', '10.0', '42.3', '1234', '–']);
});

test('a report has the means of each group and a row for each program', () => {
  const programs = [
    program('a', { native: 10, lguest: 20, qemu: 40, v86: 80 }),
    program('b', { native: 10, lguest: 20 }),
  ];
  const { tables, missed } = renderReport([GROUP, { name: 'none', title: 'Empty' }], programs, ALL, 'wall');
  assert.match(tables, /\| Group +\| +2\.00 \| +4\.00 \| +8\.00 \| +≤ 3 \| +2\.00 \| +4\.00 \|/);
  assert.match(tables, /\| b +\| +10 \| +20 \| +– \| +– \| +2\.00 \| +– \| +– \| +\|/);
  assert.doesNotMatch(tables, /Empty/);
  assert.deepEqual(missed, []);
});

test('missed targets are named: against native, against the peers, and of a single program', () => {
  const programs = [program('a', { native: 10, lguest: 100, qemu: 50, v86: 80 })];
  assert.deepEqual(renderReport([GROUP], programs, ALL, 'wall').missed, [
    'g/a is 2.00 times slower than the better peer.',
    'g takes 10.0 times native; the target is 3.',
    'g is 0.50 times as fast as qemu; the target is 1.',
    'g is 0.80 times as fast as v86; the target is 2.',
  ]);
});

test('without native or peers there is no target to miss', () => {
  const { missed, tables } = renderReport([GROUP], [program('a', { lguest: 100 })], ['lguest'], 'wall');
  assert.deepEqual(missed, []);
  assert.match(tables, /\| a +\| +100 \| +\|/);
});

test('without native the others are compared with the first', () => {
  const { tables } = renderReport(
    [GROUP],
    [program('a', { 'lguest@old': 100, lguest: 80 })],
    ['lguest@old', 'lguest'],
    'wall',
  );
  assert.match(tables, /\| a +\| +100 \| +80 \| +0\.80 \|/);
  assert.match(tables, /\| group +\| +lguest × lguest@old \|/);
});
