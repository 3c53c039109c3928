/**
 * The file of recorded cases, `test/vectors/x87.bin.gz`.
 *
 * Inside the gzip: the number of cases as u32, then 60 columns of that many
 * bytes: the 24 of the question, the 36 of the answer. Columns compress better
 * than rows, and better still because the parts of an answer that mostly
 * repeat the question (memory, ST(0), ST(1)) are stored as differences (xor).
 */

import { gunzipSync, gzipSync } from 'node:zlib';
import { answerBytes, questionBytes } from './replay.js';

export const vectorFile = 'test/vectors/x87.bin.gz';

export interface RecordedCase {
  readonly question: Uint8Array;
  readonly answer: Uint8Array;
}

const rowBytes = questionBytes + answerBytes;

/** For each byte of the answer the byte of the question it is xored with, or none. */
function counterpart(index: number): number | undefined {
  if (index < 10) return 14 + index;
  if (index >= 14 && index < 24) return 4 + index - 14;
  if (index >= 24 && index < 34) return 14 + index - 24;
  return undefined;
}

function mask(question: Uint8Array, answer: Uint8Array): Uint8Array {
  return answer.map((byte, index) => {
    const source = counterpart(index);
    return source === undefined ? byte : byte ^ question[source]!;
  });
}

export function encodeCases(cases: readonly RecordedCase[]): Uint8Array {
  const bytes = new Uint8Array(4 + cases.length * rowBytes);
  new DataView(bytes.buffer).setUint32(0, cases.length, true);
  cases.forEach(({ question, answer }, row) => {
    const masked = mask(question, answer);
    for (let column = 0; column < rowBytes; column++) {
      const byte = column < questionBytes ? question[column]! : masked[column - questionBytes]!;
      bytes[4 + column * cases.length + row] = byte;
    }
  });
  return gzipSync(bytes, { level: 9 });
}

export function decodeCases(file: Uint8Array): RecordedCase[] {
  const bytes = gunzipSync(file);
  const count = bytes.readUInt32LE(0);
  return Array.from({ length: count }, (_, row) => {
    const cells = Uint8Array.from({ length: rowBytes }, (_, column) => bytes[4 + column * count + row]!);
    const question = cells.slice(0, questionBytes);
    return { question, answer: mask(question, cells.slice(questionBytes)) };
  });
}
