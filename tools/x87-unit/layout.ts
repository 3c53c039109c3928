/**
 * Questions and answers of the x87 unit oracle, as `oracle.c` reads and writes them.
 *
 * | question | answer | bytes | what |
 * |---|---|---|---|
 * | 0 | 0 | 108 | FSAVE image, 32-bit protected mode |
 * | 108 | 108 | 512 | memory operand, at EDI |
 * | 620 | 620 | 4 | EFLAGS |
 * | 624 | | 12 | length of the code, code |
 * | | 624 | 4 | EAX, which was 0 |
 */
export const IMAGE_BYTES = 108;
export const MEMORY_BYTES = 512;
export const QUESTION_BYTES = 636;
export const ANSWER_BYTES = 628;

export interface Question {
  readonly name: string;
  readonly image: Uint8Array;
  readonly memory: Uint8Array;
  readonly flags: number;
  readonly code: readonly number[];
}

/** What is compared: without pointers, which depend on where code and data lie. Registers in physical order. */
export interface Answer {
  readonly control: number;
  readonly status: number;
  readonly tags: number;
  /** 80 bytes. */
  readonly registers: Uint8Array;
  readonly memory: Uint8Array;
  /** Arithmetic flags. */
  readonly flags: number;
  /** AX. */
  readonly ax: number;
}

export function packQuestions(questions: readonly Question[]): Uint8Array {
  const bytes = new Uint8Array(questions.length * QUESTION_BYTES);
  const view = new DataView(bytes.buffer);
  questions.forEach((question, n) => {
    const at = n * QUESTION_BYTES;
    bytes.set(question.image, at);
    bytes.set(question.memory, at + 108);
    view.setUint32(at + 620, question.flags, true);
    bytes[at + 624] = question.code.length;
    bytes.set(question.code, at + 625);
  });
  return bytes;
}

/** The registers of an FSAVE image, physical register 0 first. */
export function physicalRegisters(image: Uint8Array): Uint8Array {
  const top = (image[5]! >> 3) & 7;
  const registers = new Uint8Array(80);
  for (let n = 0; n < 8; n++) registers.set(image.subarray(28 + 10 * n, 38 + 10 * n), 10 * ((top + n) & 7));
  return registers;
}

const ARITHMETIC_FLAGS = 0x8d5;

/** FXSAVE and FXRSTOR. */
export function isImage(code: readonly number[]): boolean {
  return code[0] === 0x0f;
}

/**
 * Of an environment stored in memory the bytes that are pointers. Of an FXSAVE image also opcode, MXCSR and its mask,
 * and everything behind the x87 registers.
 */
function ignoredBytes(code: readonly number[]): readonly (readonly [number, number])[] {
  if (isImage(code))
    return [
      [6, 32],
      [160, MEMORY_BYTES],
    ];
  const narrow = code[0] === 0x66;
  const [opcode, modrm] = narrow ? code.slice(1) : code;
  const stores = (opcode === 0xd9 || opcode === 0xdd) && modrm === 0x37;
  return stores ? [narrow ? [6, 14] : [12, 28]] : [];
}

export function readAnswer(question: Question, bytes: Uint8Array): Answer {
  const view = new DataView(bytes.buffer, bytes.byteOffset, ANSWER_BYTES);
  const memory = bytes.slice(IMAGE_BYTES, IMAGE_BYTES + MEMORY_BYTES);
  for (const [from, to] of ignoredBytes(question.code)) memory.fill(0, from, to);
  return {
    control: view.getUint16(0, true),
    status: view.getUint16(4, true),
    tags: view.getUint16(8, true),
    registers: physicalRegisters(bytes.subarray(0, IMAGE_BYTES)),
    memory,
    flags: view.getUint32(620, true) & ARITHMETIC_FLAGS,
    ax: view.getUint16(624, true),
  };
}
