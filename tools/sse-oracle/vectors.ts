/**
 * The file of recorded answers, `test/vectors/sse.bin.gz`. Questions are not in it: they are made again from the
 * numbers at its start.
 *
 * Inside the gzip: cases per form, seed and check sum of the questions as u32; then the answers of `oracle.c` in columns
 * of bytes, registers and memory xored with the question's, so that what does not change is zero.
 */

import { gunzipSync, gzipSync } from 'node:zlib';
import { ANSWER_BYTES, packQuestions, QUESTION_BYTES, type Question } from './layout.js';
import { makeQuestions } from './questions.js';

export const vectorFile = 'test/vectors/sse.bin.gz';

const HEAD_BYTES = 12;
/** Bytes that mean the same in question and answer: registers, memory, MXCSR. */
const COMMON_BYTES = 292;

export function checkSum(packed: Uint8Array): number {
  let sum = 0x811c_9dc5;
  for (const byte of packed) sum = Math.imul(sum ^ byte, 0x0100_0193);
  return sum >>> 0;
}

/** In place, there and back. */
function xorWithQuestions(answers: Uint8Array, questions: Uint8Array): void {
  for (let n = 0; n * ANSWER_BYTES < answers.length; n++)
    for (let i = 0; i < COMMON_BYTES; i++) answers[n * ANSWER_BYTES + i]! ^= questions[n * QUESTION_BYTES + i]!;
}

/** `answers`: `ANSWER_BYTES` each. */
export function encode(
  casesPerForm: number,
  seed: number,
  questions: readonly Question[],
  answers: Uint8Array,
): Uint8Array {
  const packed = packQuestions(questions);
  const rows = answers.slice();
  xorWithQuestions(rows, packed);
  const bytes = new Uint8Array(HEAD_BYTES + rows.length);
  const view = new DataView(bytes.buffer);
  [casesPerForm, seed, checkSum(packed)].forEach((word, n) => {
    view.setUint32(4 * n, word, true);
  });
  for (let n = 0; n < questions.length; n++)
    for (let i = 0; i < ANSWER_BYTES; i++) bytes[HEAD_BYTES + i * questions.length + n] = rows[n * ANSWER_BYTES + i]!;
  return gzipSync(bytes, { level: 9 });
}

/** Questions and answers (`ANSWER_BYTES` each). Throws if the questions are not those of the recording any more. */
export function decode(file: Uint8Array): { questions: Question[]; answers: Uint8Array } {
  const bytes = gunzipSync(file);
  const questions = makeQuestions(bytes.readUInt32LE(0), bytes.readUInt32LE(4));
  const packed = packQuestions(questions);
  if (bytes.readUInt32LE(8) !== checkSum(packed)) throw new Error('the SSE rows or questions changed: record again');
  const answers = new Uint8Array(questions.length * ANSWER_BYTES);
  for (let n = 0; n < questions.length; n++)
    for (let i = 0; i < ANSWER_BYTES; i++)
      answers[n * ANSWER_BYTES + i] = bytes[HEAD_BYTES + i * questions.length + n]!;
  xorWithQuestions(answers, packed);
  return { questions, answers };
}
