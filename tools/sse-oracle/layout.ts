/**
 * Questions and answers of the SSE oracle, as `oracle.c` reads and writes them.
 *
 * | question | answer | bytes | what |
 * |---|---|---|---|
 * | 0 | 0 | 128 | XMM0…XMM7 |
 * | 128 | 128 | 64 | MM0…MM7, by physical register |
 * | 192 | 192 | 64 | memory at `OPERAND`; what follows it is not mapped |
 * | 256 | 256 | 32 | EAX ECX EDX EBX ESP EBP ESI EDI |
 * | 288 | 288 | 8 | MXCSR, EFLAGS |
 * | 296 | | 16 | length of the code, code |
 * | | 296 | 4 | CR2 |
 * | | 300 | 2 | a bit per physical register whose exponent is all ones |
 * | | 302 | 2 | vector (0: none), error code |
 * | | 304 | 2 | TOP, a bit per physical register in use |
 */
export const QUESTION_BYTES = 312;
export const ANSWER_BYTES = 312;
export const MEMORY_BYTES = 64;
export const PAGE = 0x1000;
export const CODE = 0x1000_0000;
export const DATA = 0x2000_0000;
export const OPERAND = DATA + PAGE - MEMORY_BYTES;
/** TOP and registers in use before every instruction. */
export const TOP = 5;
export const TAGS = 0x0f;

export interface Question {
  readonly name: string;
  /** 128 bytes. */
  readonly xmm: Uint8Array;
  readonly mm: BigUint64Array;
  readonly memory: Uint8Array;
  readonly registers: Uint32Array;
  readonly mxcsr: number;
  readonly eflags: number;
  readonly code: readonly number[];
}

export interface Answer {
  readonly xmm: Uint8Array;
  /** 64 bytes. */
  readonly mm: Uint8Array;
  readonly memory: Uint8Array;
  readonly registers: Uint32Array;
  readonly mxcsr: number;
  /** Arithmetic flags. */
  readonly eflags: number;
  readonly cr2: number;
  readonly exponents: number;
  readonly vector: number;
  readonly errorCode: number;
  readonly top: number;
  readonly tags: number;
}

export const ARITHMETIC_FLAGS = 0x8d5;

export function packQuestions(questions: readonly Question[]): Uint8Array {
  const bytes = new Uint8Array(questions.length * QUESTION_BYTES);
  const view = new DataView(bytes.buffer);
  questions.forEach((question, n) => {
    const at = n * QUESTION_BYTES;
    bytes.set(question.xmm, at);
    question.mm.forEach((value, i) => {
      view.setBigUint64(at + 128 + 8 * i, value, true);
    });
    bytes.set(question.memory, at + 192);
    question.registers.forEach((value, i) => {
      view.setUint32(at + 256 + 4 * i, value, true);
    });
    view.setUint32(at + 288, question.mxcsr, true);
    view.setUint32(at + 292, question.eflags, true);
    bytes[at + 296] = question.code.length;
    bytes.set(question.code, at + 297);
  });
  return bytes;
}

export function readAnswer(bytes: Uint8Array): Answer {
  const view = new DataView(bytes.buffer, bytes.byteOffset, ANSWER_BYTES);
  const vector = view.getUint8(302);
  return {
    xmm: bytes.slice(0, 128),
    mm: bytes.slice(128, 192),
    memory: bytes.slice(192, 256),
    registers: Uint32Array.from({ length: 8 }, (_, i) => view.getUint32(256 + 4 * i, true)),
    mxcsr: view.getUint32(288, true),
    eflags: view.getUint32(292, true) & ARITHMETIC_FLAGS,
    cr2: view.getUint32(296, true),
    exponents: view.getUint16(300, true),
    vector,
    errorCode: view.getUint8(303),
    top: view.getUint8(304),
    tags: view.getUint8(305),
  };
}
