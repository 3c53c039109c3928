import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Contestant, ContestantError } from '../../bench/contestant.js';

/** A runner that answers with the words of the request, and dies of the word `die`. */
const RUNNER = `
  console.log('[ 0.1] kernel\\n@@ready');
  require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const [id, ...words] = line.split('\\t');
    if (words[0] === 'die') process.exit(3);
    const output = words.join('+');
    process.stdout.write('\\n@@bench ' + id + ' 0 1500 ' + output.length + '\\n' + output + '\\n@@end ' + id + '\\n');
  });`;

function create(script: string): Contestant {
  return new Contestant({ name: 'someone', command: process.execPath, words: ['-e', script], isNative: true });
}

test('a contestant runs what it is asked to, also after it was stopped for a while', async () => {
  const contestant = create(RUNNER);
  try {
    await contestant.ready();
    const run = await contestant.run(['/bin/a', 'b']);
    assert.equal(run.output, '/bin/a+b');
    assert.equal(run.status, 0);
    assert.equal(run.processorMs, 1.5);
    assert.ok(run.wallMs > 0);
    contestant.pause();
    await contestant.resume();
    assert.equal((await contestant.run(['/bin/c'])).output, '/bin/c');
  } finally {
    await contestant.stop();
  }
});

test('one that dies, or cannot be started, says so', async () => {
  const contestant = create(RUNNER);
  await contestant.ready();
  await assert.rejects(contestant.run(['die']), (error: Error) => {
    return error instanceof ContestantError && /^someone: it ended with status 3; it printed last:/.test(error.message);
  });
  await assert.rejects(contestant.run(['again']), ContestantError);
  await contestant.stop();
  const missing = new Contestant({ name: 'nobody', command: '/does/not/exist', words: [], isNative: false });
  await assert.rejects(missing.ready(), /nobody: spawn/);
  await missing.stop();
});
