/** Questions and answers as `oracle.c` reads and writes them. */

import { CODE_AT, DATA_AT, DATA_BEFORE, DATA_BYTES } from '../../test/jit/random-code.js';

/** All addresses of the programs are this much higher than elsewhere: low ones cannot be had on a real machine. */
export const BASE = 0x2000_0000;
/** First byte of the pages with code, which cannot be written, and of those with data. Nothing else is mapped. */
export const CODE_PAGES = BASE + (CODE_AT & ~0xfff);
export const CODE_PAGES_BYTES = 0x3000;
export const START = BASE + CODE_AT;
export const DATA_PAGES = BASE + DATA_AT - DATA_BEFORE;
export const DATA_PAGES_BYTES = DATA_BEFORE + DATA_BYTES;

/** `Answer.vector` of a program that did not come to an end. */
export const NO_END = 255;

export interface Question {
  readonly seed: number;
  readonly registers: readonly number[];
  readonly eflags: number;
  readonly xmm: Uint8Array;
  /** From `START` on. */
  readonly code: Uint8Array;
  /** From `DATA_PAGES` on. */
  readonly data: Uint8Array;
  /** Flags that are undefined at the end. */
  readonly undefinedFlags: number;
}

export interface Answer {
  /** EAX … EDI. */
  readonly registers: readonly number[];
  readonly eflags: number;
  /** Of the instruction that ended the program: its INT3, or one that faulted. */
  readonly eip: number;
  readonly vector: number;
  readonly error: number;
  /** Of a page fault; on the real processor it may be beyond 4 GiB. */
  readonly cr2: number;
  readonly control: number;
  /** With TOP. */
  readonly status: number;
  /** Bit n: physical register n is not empty. */
  readonly tags: number;
  readonly mxcsr: number;
  /** ST(0) … ST(7), ten bytes each. */
  readonly st: Uint8Array;
  readonly xmm: Uint8Array;
  readonly data: Uint8Array;
}

const QUESTION = { eflags: 32, start: 36, xmm: 40, code: 168, data: 168 + CODE_PAGES_BYTES } as const;
const QUESTION_BYTES = QUESTION.data + DATA_PAGES_BYTES;
const ANSWER = { eflags: 32, eip: 36, vector: 40, error: 44, cr2: 48, fpu: 56, data: 344 } as const;
export const ANSWER_BYTES = ANSWER.data + DATA_PAGES_BYTES;
/** Offsets in an FXSAVE image (SDM vol. 2, table 3-43). */
const IMAGE = { control: 0, status: 2, tags: 4, mxcsr: 24, st: 32, xmm: 160, end: 288 } as const;

export function packQuestions(questions: readonly Question[]): Uint8Array {
  const bytes = new Uint8Array(questions.length * QUESTION_BYTES);
  const view = new DataView(bytes.buffer);
  questions.forEach((question, n) => {
    const at = n * QUESTION_BYTES;
    question.registers.forEach((value, i) => {
      view.setUint32(at + 4 * i, value, true);
    });
    view.setUint32(at + QUESTION.eflags, question.eflags, true);
    view.setUint32(at + QUESTION.start, START, true);
    bytes.set(question.xmm, at + QUESTION.xmm);
    bytes.set(question.code, at + QUESTION.code + START - CODE_PAGES);
    bytes.set(question.data, at + QUESTION.data);
  });
  return bytes;
}

/** `bytes`: `ANSWER_BYTES` of them. */
export function readAnswer(bytes: Uint8Array): Answer {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (at: number): number => view.getUint32(at, true);
  const fpu = ANSWER.fpu;
  const st = new Uint8Array(80);
  for (let i = 0; i < 8; i++) {
    const at = fpu + IMAGE.st + 16 * i;
    st.set(bytes.subarray(at, at + 10), 10 * i);
  }
  return {
    registers: Array.from({ length: 8 }, (_, i) => word(4 * i)),
    eflags: word(ANSWER.eflags),
    eip: word(ANSWER.eip),
    vector: word(ANSWER.vector),
    error: word(ANSWER.error),
    cr2: Number(view.getBigUint64(ANSWER.cr2, true)),
    control: view.getUint16(fpu + IMAGE.control, true),
    status: view.getUint16(fpu + IMAGE.status, true),
    tags: bytes[fpu + IMAGE.tags]!,
    mxcsr: word(fpu + IMAGE.mxcsr),
    st,
    xmm: bytes.slice(fpu + IMAGE.xmm, fpu + IMAGE.end),
    data: bytes.slice(ANSWER.data, ANSWER_BYTES),
  };
}
