import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Code, OP } from '../../src/wasm/code.js';

test('a local that is read where it has just been set is set by a tee', () => {
  const code = new Code();
  code.localSet(300);
  code.localGet(300);
  code.localGet(300);
  assert.deepEqual([...code.bytes()], [OP.local_tee, 0xac, 2, OP.local_get, 0xac, 2]);
});

test('not another local, nor behind other code, nor what has been taken back', () => {
  const code = new Code();
  code.localSet(1);
  code.localGet(2);
  code.localSet(3);
  code.byte(OP.end);
  code.localGet(3);
  assert.deepEqual([...code.bytes()], [OP.local_set, 1, OP.local_get, 2, OP.local_set, 3, OP.end, OP.local_get, 3]);
  code.clear();
  code.localSet(4);
  const { length } = code;
  code.localSet(5);
  code.truncate(length);
  code.localGet(5);
  assert.deepEqual([...code.bytes()], [OP.local_set, 4, OP.local_get, 5]);
});
