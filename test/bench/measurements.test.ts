import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  findDisagreements,
  findLargeGuests,
  geometricMean,
  meanRatio,
  median,
  mediansOf,
  type Run,
} from '../../bench/measurements.js';

const run = (wallMs: number, output = '1\n', status = 0): Run => ({ wallMs, processorMs: wallMs / 2, status, output });

test('medians and geometric means', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.ok(Number.isNaN(median([])));
  assert.ok(Math.abs(geometricMean([1, 4, 16]) - 4) < 1e-12);
  assert.ok(Number.isNaN(geometricMean([])));
});

test('the time of a program is the median of its runs, of the kind that is asked for', () => {
  const program = {
    group: 'g',
    name: 'p',
    runs: new Map([
      ['a', [run(10), run(30), run(20)]],
      ['b', []],
    ]),
  };
  assert.deepEqual([...mediansOf(program, 'wall')], [['a', 20]]);
  assert.deepEqual([...mediansOf(program, 'processor')], [['a', 10]]);
});

test('failed runs count for the agreement, not for the time', () => {
  const program = { group: 'g', name: 'p', runs: new Map([['a', [run(10), run(Number.NaN, 'no answer', -1)]]]) };
  assert.deepEqual([...mediansOf(program, 'wall')], [['a', 10]]);
  assert.deepEqual(findDisagreements(program), ['g/p: a ended with status -1 and said "no answer"']);
});

test('a wrong result has no time, either', () => {
  const runs = new Map([
    ['a', [run(10, 'right')]],
    ['b', [run(1, 'wrong')]],
  ]);
  assert.deepEqual([...mediansOf({ group: 'g', name: 'p', runs }, 'wall')], [['a', 10]]);
});

test('a mean ratio is over the programs that both have run', () => {
  const times = [
    new Map([
      ['a', 20],
      ['b', 10],
    ]),
    new Map([
      ['a', 80],
      ['b', 10],
    ]),
    new Map([['a', 5]]),
  ];
  assert.ok(Math.abs(meanRatio(times, 'a', 'b') - 4) < 1e-12);
  assert.ok(Number.isNaN(meanRatio(times, 'a', 'c')));
});

test('results that differ, failures and silence are found, once each', () => {
  const check = (runs: [string, Run[]][]) => findDisagreements({ group: 'g', name: 'p', runs: new Map(runs) });
  assert.deepEqual(
    check([
      ['a', [run(1), run(2)]],
      ['b', [run(3)]],
    ]),
    [],
  );
  assert.deepEqual(
    check([
      ['a', [run(1)]],
      ['b', [run(1, '2\n'), run(1, '2\n')]],
    ]),
    ['g/p: b says "2", a "1"'],
  );
  assert.deepEqual(check([['a', [run(1, 'Killed\n', 137)]]]), ['g/p: a ended with status 137 and said "Killed"']);
  assert.deepEqual(check([['a', [run(1, '')]]]), ['g/p: a printed nothing']);
});

test('only our own guests are blamed for memory', () => {
  const peaks = new Map([
    ['lguest', 401],
    ['lguest@elsewhere', 399],
    ['v86', 800],
  ]);
  assert.deepEqual(findLargeGuests(peaks), ['lguest took 401 MB; the target is 400.']);
});
