import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { askBrowser, findBrowser } from './browser.js';
import { type Outcome, runWorkload } from './workload.js';

/**
 * The same random programs and the same guests on every platform: what they leave behind, what they print and how many
 * instructions they take is the same in this Node, in others, and in a browser.
 */

/** What each guest did here, once for all tests. */
let here: Promise<Outcome> | undefined;

function outcomeHere(): Promise<Outcome> {
  here ??= runWorkload();
  return here;
}

/** Executables of other versions of Node, separated by colons; .ci/run fetches them. */
const nodes = (process.env['LGUEST_NODES'] ?? '').split(':').filter((path) => path !== '');
const browser = findBrowser();
/** Where it must not be left out. */
const required = process.env['LGUEST_PLATFORMS'] === 'all';

test('interpreted, translated when hot and translated at once it is the same', async () => {
  const { differences, inBackground, inThread, guests } = await outcomeHere();
  assert.deepEqual(differences, []);
  assert.ok(inBackground > 5, `${inBackground} programs have run what was compiled in the background`);
  assert.ok(inThread > 5, `${inThread} programs have run what was made in another thread`);
  for (const { variant, way, translated, ...rest } of guests) {
    const { ending, instructions, output } = guests.find((guest) => guest.variant === variant)!;
    assert.match(output, /T\d+ pass/);
    assert.deepEqual(rest, { ending, instructions, output }, `${variant} ${way}`);
    assert.equal(translated, way !== 'interpreted', `${variant} ${way}`);
  }
});

test('a browser does the same, in a worker, where eval is forbidden', {
  skip: browser === undefined && !required && 'no Chromium: install one, or name it in LGUEST_BROWSER',
}, async () => {
  assert.ok(browser !== undefined, 'there is no Chromium');
  const answer = (await askBrowser(browser)) as { outcome: Outcome; evalWorks: boolean; failure?: string };
  assert.equal(answer.failure, undefined);
  assert.equal(answer.evalWorks, false, 'the policy of the page holds in the worker');
  assert.deepEqual(answer.outcome, await outcomeHere());
});

test('other versions of Node do the same', {
  skip: nodes.length === 0 && !required && 'name their executables in LGUEST_NODES, separated by colons',
}, async () => {
  assert.ok(nodes.length > 0, 'LGUEST_NODES names none');
  for (const node of nodes) {
    const { stdout } = await promisify(execFile)(node, [join('dist', 'test', 'platforms', 'run.js')], {
      maxBuffer: 1 << 24,
    });
    assert.deepEqual(JSON.parse(stdout), await outcomeHere(), node);
  }
});
