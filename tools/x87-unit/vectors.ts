/**
 * The file of recorded answers, `test/vectors/x87-unit.bin.gz`. Questions are not in it: they are made again from
 * the numbers at its start.
 *
 * Inside the gzip: cases per form, seed and check sum of the questions as u32; then the answers in columns of
 * bytes, `ROW_BYTES` each: control, status, tags, flags, AX as u16, registers, memory; the last two xored with the
 * question's, so that what does not change is zero.
 */

import { gunzipSync, gzipSync } from 'node:zlib';
import { type Answer, MEMORY_BYTES, packQuestions, physicalRegisters, type Question } from './layout.js';
import { makeQuestions } from './questions.js';

export const vectorFile = 'test/vectors/x87-unit.bin.gz';

const HEAD_BYTES = 12;
const WORDS = ['control', 'status', 'tags', 'flags', 'ax'] as const;
const ROW_BYTES = 2 * WORDS.length + 80 + MEMORY_BYTES;

function checkSum(questions: readonly Question[]): number {
  let sum = 0x811c_9dc5;
  for (const byte of packQuestions(questions)) sum = Math.imul(sum ^ byte, 0x0100_0193);
  return sum >>> 0;
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, n) => byte ^ b[n]!);
}

function packRow(question: Question, answer: Answer): Uint8Array {
  const row = new Uint8Array(ROW_BYTES);
  const view = new DataView(row.buffer);
  WORDS.forEach((word, n) => {
    view.setUint16(2 * n, answer[word], true);
  });
  row.set(xor(answer.registers, physicalRegisters(question.image)), 10);
  row.set(xor(answer.memory, question.memory), 90);
  return row;
}

function unpackRow(question: Question, row: Uint8Array): Answer {
  const view = new DataView(row.buffer, row.byteOffset, ROW_BYTES);
  const [control, status, tags, flags, ax] = WORDS.map((_, n) => view.getUint16(2 * n, true)) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const registers = xor(row.subarray(10, 90), physicalRegisters(question.image));
  return { control, status, tags, flags, ax, registers, memory: xor(row.subarray(90), question.memory) };
}

export function encode(casesPerForm: number, seed: number, questions: readonly Question[], answers: readonly Answer[]) {
  const bytes = new Uint8Array(HEAD_BYTES + questions.length * ROW_BYTES);
  const view = new DataView(bytes.buffer);
  [casesPerForm, seed, checkSum(questions)].forEach((word, n) => {
    view.setUint32(4 * n, word, true);
  });
  questions.forEach((question, n) => {
    packRow(question, answers[n]!).forEach((byte, column) => {
      bytes[HEAD_BYTES + column * questions.length + n] = byte;
    });
  });
  return gzipSync(bytes, { level: 9 });
}

/** Throws if the questions are not those of the recording any more. */
export function decode(file: Uint8Array): { question: Question; answer: Answer }[] {
  const bytes = gunzipSync(file);
  const questions = makeQuestions(bytes.readUInt32LE(0), bytes.readUInt32LE(4));
  if (bytes.readUInt32LE(8) !== checkSum(questions)) throw new Error('the x87 rows or questions changed: record again');
  return questions.map((question, n) => {
    const row = Uint8Array.from({ length: ROW_BYTES }, (_, at) => bytes[HEAD_BYTES + at * questions.length + n]!);
    return { question, answer: unpackRow(question, row) };
  });
}
