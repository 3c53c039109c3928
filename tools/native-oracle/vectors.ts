/**
 * Recorded answers: questions and what a real processor made of them, in one gzipped file, so that tests
 * need neither a compiler nor an x86 machine. Numbers are little-endian.
 *
 *     u32 count, then per case
 *     u8 mode | 80 with unit; u8 length, code; u32 code address; u16 EFLAGS; u32 × 8 registers
 *     u8 patches, each: u32 address, u8 length, bytes
 *     with unit: u8 TOP, u8 tags, u64 × 8
 *     u8 vector; u8 mask of changed registers, u32 each; u8 mask of changed selectors, u16 each; u32 EIP − old EIP; u16 EFLAGS; u16 undefined EFLAGS
 *     unless the vector is 3: u32 error code, u32 CR2
 *     u16 length of changed memory, then if not 0: u16 start, bytes
 *     with unit: u8 TOP, u8 tags, u8 mask of changed registers, 10 bytes each
 */

import { gunzipSync, gzipSync } from 'node:zlib';
import { type Answer, MODES, type Patch, type Question, type UnitAnswer, type UnitState } from './layout.js';

export interface Vector {
  readonly question: Question;
  readonly answer: Answer;
  /** EFLAGS bits that may come out either way. */
  readonly undefinedFlags: number;
}

const CS = 1;
const WITH_UNIT = 0x80;
const COMPLETED = 3;

class Writer {
  private bytes = new Uint8Array(1 << 20);
  private view = new DataView(this.bytes.buffer);
  private at = 0;

  u8(value: number): void {
    const at = this.reserve(1);
    this.view.setUint8(at, value);
  }
  u16(value: number): void {
    const at = this.reserve(2);
    this.view.setUint16(at, value, true);
  }
  u32(value: number): void {
    const at = this.reserve(4);
    this.view.setUint32(at, value, true);
  }
  u64(value: bigint): void {
    const at = this.reserve(8);
    this.view.setBigUint64(at, value, true);
  }
  block(bytes: Uint8Array): void {
    const at = this.reserve(bytes.length);
    this.bytes.set(bytes, at);
  }
  get written(): Uint8Array {
    return this.bytes.subarray(0, this.at);
  }

  private reserve(count: number): number {
    const at = this.at;
    this.at += count;
    if (this.at > this.bytes.length) {
      const larger = new Uint8Array(2 * this.at);
      larger.set(this.bytes);
      this.bytes = larger;
      this.view = new DataView(larger.buffer);
    }
    return at;
  }
}

class Reader {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }
  u8(): number {
    return this.view.getUint8(this.skip(1));
  }
  u16(): number {
    return this.view.getUint16(this.skip(2), true);
  }
  u32(): number {
    return this.view.getUint32(this.skip(4), true);
  }
  u64(): bigint {
    return this.view.getBigUint64(this.skip(8), true);
  }
  block(length: number): Uint8Array {
    const at = this.skip(length);
    return this.bytes.slice(at, at + length);
  }

  private skip(count: number): number {
    const at = this.at;
    this.at += count;
    return at;
  }
}

export function packVectors(vectors: readonly Vector[]): Uint8Array {
  const writer = new Writer();
  writer.u32(vectors.length);
  for (const vector of vectors) {
    writeQuestion(writer, vector.question);
    writeAnswer(writer, vector);
  }
  return gzipSync(writer.written, { level: 9 });
}

export function unpackVectors(file: Uint8Array): Vector[] {
  const reader = new Reader(gunzipSync(file));
  return Array.from({ length: reader.u32() }, () => {
    const question = readQuestion(reader);
    return readAnswer(reader, question);
  });
}

function writeQuestion(writer: Writer, question: Question): void {
  const { unit } = question;
  writer.u8(question.mode | (unit ? WITH_UNIT : 0));
  writer.u8(question.code.length);
  writer.block(question.code);
  writer.u32(question.codeAddress);
  writer.u16(question.eflags);
  for (const value of question.registers) writer.u32(value);
  writer.u8(question.patches.length);
  for (const patch of question.patches) {
    writer.u32(patch.address);
    writer.u8(patch.bytes.length);
    writer.block(patch.bytes);
  }
  if (!unit) return;
  writer.u8(unit.top);
  writer.u8(unit.tags);
  for (const value of unit.registers) writer.u64(value);
}

function readQuestion(reader: Reader): Question {
  const kind = reader.u8();
  const mode = kind & ~WITH_UNIT;
  const code = reader.block(reader.u8());
  const codeAddress = reader.u32();
  const eflags = reader.u16();
  const registers = Uint32Array.from({ length: 8 }, () => reader.u32());
  const patches = Array.from({ length: reader.u8() }, (): Patch => {
    const address = reader.u32();
    return { address, bytes: reader.block(reader.u8()) };
  });
  const unit = kind & WITH_UNIT ? readUnit(reader) : undefined;
  return { code, mode, codeAddress, eip: codeAddress - MODES[mode]![CS]!.base, eflags, registers, patches, unit };
}

function readUnit(reader: Reader): UnitState {
  const top = reader.u8();
  const tags = reader.u8();
  return { top, tags, registers: BigUint64Array.from({ length: 8 }, () => reader.u64()) };
}

function writeAnswer(writer: Writer, { question, answer, undefinedFlags }: Vector): void {
  writer.u8(answer.vector);
  const changed = [...answer.registers].map((value, i) => value !== question.registers[i]);
  writer.u8(maskOf(changed));
  answer.registers.forEach((value, i) => {
    if (changed[i]) writer.u32(value);
  });
  const before = MODES[question.mode]!;
  const reloaded = [...answer.selectors].map((value, i) => value !== before[i]!.selector);
  writer.u8(maskOf(reloaded));
  answer.selectors.forEach((value, i) => {
    if (reloaded[i]) writer.u16(value);
  });
  writer.u32(answer.eip - question.eip);
  writer.u16(answer.eflags);
  writer.u16(undefinedFlags);
  if (answer.vector !== COMPLETED) {
    writer.u32(answer.errorCode);
    writer.u32(answer.cr2);
  }
  writer.u16(answer.changed.length);
  if (answer.changed.length > 0) writer.u16(answer.start);
  writer.block(answer.changed);
  if (question.unit && answer.unit) writeUnitAnswer(writer, question.unit, answer.unit);
}

function readAnswer(reader: Reader, question: Question): Vector {
  const vector = reader.u8();
  const mask = reader.u8();
  const registers = question.registers.map((value, i) => (mask & (1 << i) ? reader.u32() : value));
  const reloaded = reader.u8();
  const before = MODES[question.mode]!;
  const selectors = Uint16Array.from(before, ({ selector }, i) => (reloaded & (1 << i) ? reader.u16() : selector));
  const eip = (question.eip + reader.u32()) >>> 0;
  const eflags = reader.u16();
  const undefinedFlags = reader.u16();
  const errorCode = vector === COMPLETED ? 0 : reader.u32();
  const cr2 = vector === COMPLETED ? 0 : reader.u32();
  const length = reader.u16();
  const start = length > 0 ? reader.u16() : 0;
  const changed = reader.block(length);
  const unit = question.unit ? readUnitAnswer(reader, question.unit) : undefined;
  const answer: Answer = { vector, errorCode, cr2, eip, eflags, registers, selectors, unit, start, changed };
  return { question, answer, undefinedFlags };
}

/** The ten bytes of each register before the instruction. */
function registersBefore(unit: UnitState): Uint8Array {
  const bytes = new Uint8Array(80);
  const view = new DataView(bytes.buffer);
  unit.registers.forEach((value, i) => {
    view.setBigUint64(10 * i, value, true);
    view.setUint16(10 * i + 8, 0x3fff, true);
  });
  return bytes;
}

function writeUnitAnswer(writer: Writer, before: UnitState, after: UnitAnswer): void {
  const old = registersBefore(before);
  const of = (bytes: Uint8Array, i: number): Uint8Array => bytes.subarray(10 * i, 10 * i + 10);
  const changed = Array.from({ length: 8 }, (_, i) => Buffer.compare(of(old, i), of(after.registers, i)) !== 0);
  writer.u8(after.top);
  writer.u8(after.tags);
  writer.u8(maskOf(changed));
  changed.forEach((is, i) => {
    if (is) writer.block(of(after.registers, i));
  });
}

function readUnitAnswer(reader: Reader, before: UnitState): UnitAnswer {
  const top = reader.u8();
  const tags = reader.u8();
  const mask = reader.u8();
  const registers = registersBefore(before);
  for (let i = 0; i < 8; i++) if (mask & (1 << i)) registers.set(reader.block(10), 10 * i);
  return { top, tags, registers };
}

function maskOf(bits: readonly boolean[]): number {
  return bits.reduce((mask, bit, i) => (bit ? mask | (1 << i) : mask), 0);
}
