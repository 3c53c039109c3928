import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import { test } from 'node:test';
import { openByteSink } from '../../src/platform/node-streams.js';
import { makeTerminalRaw, watchEndingSignals } from '../../src/platform/node-terminal.js';

/** A terminal that remembers its modes. */
function fakeTerminal() {
  const modes: boolean[] = [];
  return { isTTY: true, modes, setRawMode: (raw: boolean) => modes.push(raw) };
}

test('the terminal is raw until it is restored, once', () => {
  const terminal = fakeTerminal();
  const world = new EventEmitter();
  const restore = makeTerminalRaw(terminal, world);
  assert.deepEqual(terminal.modes, [true]);
  restore();
  restore();
  world.emit('exit');
  world.emit('SIGCONT');
  assert.deepEqual(terminal.modes, [true, false]);
});

test('the exit of the process restores it, and it is raw again after a stop', () => {
  const terminal = fakeTerminal();
  const world = new EventEmitter();
  makeTerminalRaw(terminal, world);
  world.emit('SIGCONT');
  world.emit('exit');
  assert.deepEqual(terminal.modes, [true, true, false]);
});

test('a terminal that has gone away is no reason to fail, and a pipe is left alone', () => {
  const gone = {
    isTTY: true,
    setRawMode: () => {
      throw new Error('EIO');
    },
  };
  makeTerminalRaw(gone, new EventEmitter())();
  const pipe = { setRawMode: () => assert.fail('not a terminal') };
  makeTerminalRaw(pipe, new EventEmitter())();
});

test('signals become exit statuses until nobody watches any more', () => {
  const world = new EventEmitter();
  const seen: [number, string][] = [];
  const forget = watchEndingSignals((status, name) => seen.push([status, name]), world);
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) world.emit(name);
  assert.deepEqual(seen, [
    [130, 'SIGINT'],
    [143, 'SIGTERM'],
    [129, 'SIGHUP'],
    [131, 'SIGQUIT'],
  ]);
  forget();
  assert.deepEqual(world.eventNames(), []);
});

test('a sink is flushed when a slow reader has taken everything', async () => {
  const taken: (() => void)[] = [];
  const slow = new Writable({ write: (_chunk, _encoding, callback) => void taken.push(callback) });
  const sink = openByteSink(slow);
  sink.write('abc');
  sink.write(Uint8Array.of(1, 2));
  assert.equal(sink.pendingBytes, 5);
  let flushed = false;
  const flush = sink.flush().then(() => {
    flushed = true;
  });
  taken.shift()!();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(flushed, false);
  taken.shift()!();
  await flush;
  assert.equal(sink.pendingBytes, 0);
});

test('what the guest does with its buffer afterwards does not change what was written', async () => {
  const reader = new PassThrough();
  const sink = openByteSink(reader);
  const bytes = Uint8Array.of(65, 66);
  sink.write(bytes);
  bytes.fill(0);
  await sink.flush();
  assert.equal(String(reader.read()), 'AB');
});

test('when the reader goes away, it is told once, and waiting ends', async () => {
  let closed = 0;
  const broken = new Writable({
    write: (_chunk, _encoding, callback) => callback(Object.assign(new Error('broken pipe'), { code: 'EPIPE' })),
  });
  const sink = openByteSink(broken, () => closed++);
  sink.write('abc');
  await sink.flush();
  sink.write('more');
  await sink.flush();
  assert.equal(closed, 1);
  assert.equal(sink.pendingBytes, 0);
});
