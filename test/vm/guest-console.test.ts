import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { renderRequest } from '../../src/vm/guest-console.js';

describe('the request to the guest', () => {
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

  it('is a line and as many bytes of shell text as it says', () => {
    const request = text(renderRequest({ command: ['echo', 'ä'], environment: { TERM: 'xterm', 'no good': 'x' } }));
    const [head, ...rest] = request.split('\n');
    const script = rest.join('\n');
    assert.equal(script, "export TERM='xterm'\nset -- 'echo' 'ä'\n");
    assert.equal(head, `run ${Buffer.byteLength(script)}`);
    assert.equal(text(renderRequest({})), 'shell 0\n');
  });

  it('brings any words through a shell', () => {
    const words = ['a b', "it's", '', '$HOME `x` "q" \\', 'line\nend', '*', '-n', 'ä€'];
    const [, ...rest] = text(renderRequest({ command: words })).split('\n');
    const script = `${rest.join('\n')}\nfor word; do printf '%s\\0' "$word"; done`;
    const { stdout } = spawnSync('sh', ['-c', script], { encoding: 'utf8' });
    assert.deepEqual(stdout.split('\0').slice(0, -1), words);
  });
});
