import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OptionError, parseOptions } from '../../bench/options.js';
import { DATA, GROUPS, PROGRAMS } from '../../bench/suite.js';

test('without words everything is run three times', () => {
  const options = parseOptions([]);
  assert.equal(options.rounds, 3);
  assert.equal(options.boot, true);
  assert.deepEqual(options.programs, PROGRAMS);
  assert.deepEqual(options.peers, ['native', 'lguest', 'qemu', 'v86']);
});

test('groups, programs, contestants and rounds can be chosen', () => {
  const groups = parseOptions(['--group=x87,boot', '5']);
  assert.deepEqual([...new Set(groups.programs.map(({ group }) => group))], ['x87']);
  assert.equal(groups.boot, true);
  assert.equal(groups.rounds, 5);
  const programs = parseOptions([
    '--programs=x87/nbody,sieve',
    '--peers=lguest,lguest@/elsewhere',
    '--lguest=--no-jit  --seed=1',
  ]);
  assert.deepEqual(
    programs.programs.map(({ group, name }) => `${group}/${name}`),
    ['integer/sieve', 'x87/nbody'],
  );
  assert.equal(programs.boot, false);
  assert.deepEqual(programs.peers, ['lguest', 'lguest@/elsewhere']);
  assert.deepEqual(programs.lguestOptions, ['--no-jit', '--seed=1']);
  assert.equal(parseOptions([], { LGUEST_BENCH_V86: '/v86' }).v86Folder, '/v86');
});

test('what does not exist is named in a sentence', () => {
  for (const [words, message] of [
    [['--group=x88'], /no group 'x88'/],
    [['--programs=integer/nbody'], /no program 'integer\/nbody'/],
    [['--peers=bochs'], /no contestant 'bochs'/],
    [['--time=guest'], /--time is/],
    [['--fast'], /no option --fast/],
    [['0'], /no number of rounds/],
  ] as const) {
    assert.throws(
      () => parseOptions(words),
      (error: Error) => error instanceof OptionError && message.test(error.message),
    );
  }
});

test('every program has a group, a name of its own in it, and words that the runner takes', () => {
  const seen = new Set<string>();
  for (const { group, name, words, data } of PROGRAMS) {
    assert.ok(
      GROUPS.some((known) => known.name === group),
      group,
    );
    assert.ok(!seen.has(`${group}/${name}`), name);
    seen.add(`${group}/${name}`);
    assert.ok(words[0]!.startsWith('/'), name);
    assert.ok(words.join('\t').length < 4000 && !/[\t\n]/.test(words.join('')), name);
    for (const each of data) assert.ok(each in DATA);
  }
});
