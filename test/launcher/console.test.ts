import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeyFilter } from '../../src/launcher/console.js';

/** A filter whose clock stands still until the test moves it, and everything it did. */
function listen(kind: 'terminal' | 'pipe' | 'file') {
  const done: string[] = [];
  let guest = '';
  const clock = { seconds: 100 };
  const filter = new KeyFilter(
    kind,
    {
      send: (bytes) => {
        guest += String.fromCharCode(...bytes);
      },
      interrupt: () => done.push('interrupt'),
      openMenu: () => done.push('menu'),
      choose: (command) => done.push(command),
    },
    () => clock.seconds * 1e9,
  );
  return {
    done,
    clock,
    guest: () => guest,
    type: (text: string) => filter.take(Uint8Array.from(text, (letter) => letter.charCodeAt(0))),
  };
}

test('everything is the guest’s, Ctrl-C and Ctrl-Z included', () => {
  const console = listen('terminal');
  console.type('ls\r\x03\x1a\x04\x00\xff');
  assert.equal(console.guest(), 'ls\r\x03\x1a\x04\x00\xff');
  assert.deepEqual(console.done, []);
});

test('three Ctrl-C within a second end it, however they are read', () => {
  const slow = listen('terminal');
  for (let i = 0; i < 3; i++) {
    slow.type('\x03');
    slow.clock.seconds += 0.4;
  }
  assert.deepEqual(slow.done, ['interrupt']);
  const fast = listen('terminal');
  fast.type('\x03\x03\x03');
  assert.deepEqual(fast.done, ['interrupt']);
});

test('three Ctrl-C in more than a second, or with another key between them, do not', () => {
  const slow = listen('terminal');
  for (let i = 0; i < 6; i++) {
    slow.type('\x03');
    slow.clock.seconds += 0.6;
  }
  assert.deepEqual(slow.done, []);
  const mixed = listen('terminal');
  mixed.type('\x03\x03a\x03\x03');
  assert.deepEqual(mixed.done, []);
});

test('only the last three count', () => {
  const console = listen('terminal');
  for (const pause of [0.9, 0.2, 0.2]) {
    console.type('\x03');
    console.clock.seconds += pause;
  }
  assert.deepEqual(console.done, []);
  console.type('\x03');
  assert.deepEqual(console.done, ['interrupt']);
});

test('Ctrl-] opens the menu; the next key chooses and is not the guest’s', () => {
  const console = listen('terminal');
  console.type('a\x1drb');
  assert.equal(console.guest(), 'ab');
  assert.deepEqual(console.done, ['menu', 'reset']);
  for (const key of ['s', 't', 'e', 'x']) console.type(`\x1d${key}`);
  assert.deepEqual(console.done.slice(2), ['menu', 'stats', 'menu', 'trace', 'menu', 'end', 'menu', 'unknown']);
  assert.equal(console.guest(), 'ab');
});

test('Ctrl-] ] and Ctrl-] Ctrl-] send a Ctrl-]', () => {
  const console = listen('terminal');
  console.type('\x1d]');
  console.type('\x1d');
  console.type('\x1d');
  assert.equal(console.guest(), '\x1d\x1d');
});

test('a pipe has no menu, and ends it with three lone Ctrl-C only', () => {
  const console = listen('pipe');
  console.type('\x1de\x03\x03\x03');
  assert.equal(console.guest(), '\x1de\x03\x03\x03');
  assert.deepEqual(console.done, []);
  for (let i = 0; i < 3; i++) console.type('\x03');
  assert.deepEqual(console.done, ['interrupt']);
});

test('a file is data', () => {
  const console = listen('file');
  for (let i = 0; i < 5; i++) console.type('\x03');
  assert.equal(console.guest(), '\x03\x03\x03\x03\x03');
  assert.deepEqual(console.done, []);
});
