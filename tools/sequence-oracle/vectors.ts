/**
 * The file of recorded programs, `test/vectors/sequences.bin.gz`: their code, and a check sum over what each left behind on a
 * real processor. Registers and data at the start are made again from the seed.
 *
 * Inside the gzip, for each program: seed u32, undefined flags u16, bytes of code u16, check sum u32, code.
 */

import { gunzipSync, gzipSync } from 'node:zlib';
import type { Question } from './layout.js';
import { makeStart } from './questions.js';

export const vectorFile = 'test/vectors/sequences.bin.gz';

export interface Recorded {
  readonly question: Question;
  readonly checkSum: number;
}

const HEAD_BYTES = 12;

export function encode(programs: readonly Recorded[]): Uint8Array {
  const parts = programs.map(({ question, checkSum }) => {
    const part = new Uint8Array(HEAD_BYTES + question.code.length);
    const view = new DataView(part.buffer);
    view.setUint32(0, question.seed, true);
    view.setUint16(4, question.undefinedFlags, true);
    view.setUint16(6, question.code.length, true);
    view.setUint32(8, checkSum, true);
    part.set(question.code, HEAD_BYTES);
    return part;
  });
  return gzipSync(Buffer.concat(parts), { level: 9 });
}

export function decode(file: Uint8Array): Recorded[] {
  const bytes = gunzipSync(file);
  const programs: Recorded[] = [];
  for (let at = 0; at < bytes.length; ) {
    const seed = bytes.readUInt32LE(at);
    const end = at + HEAD_BYTES + bytes.readUInt16LE(at + 6);
    const code = Uint8Array.from(bytes.subarray(at + HEAD_BYTES, end));
    const question = { seed, ...makeStart(seed), code, undefinedFlags: bytes.readUInt16LE(at + 4) };
    programs.push({ question, checkSum: bytes.readUInt32LE(at + 8) });
    at = end;
  }
  return programs;
}
