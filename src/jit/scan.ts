import type { Decoded } from '../cpu/decoder.js';
import type { HandlerForm } from '../cpu/interpreter/forms.js';
import { Instruction } from './instruction.js';
import type { WordReader, WordWriter } from './words.js';

/** Code that a scan has found: what regions are made of. */
export interface Scan {
  readonly entry: number;
  readonly instructions: ReadonlyMap<number, Instruction>;
  /** Addresses where blocks begin. */
  readonly leaders: ReadonlySet<number>;
  /** Those that jumps lead to, or a conditional jump that is not taken. */
  readonly references: ReadonlySet<number>;
  /** Instructions that return. */
  readonly returns: number;
  /** Address of a computed jump → where its table leads, in ascending order. */
  readonly tables: ReadonlyMap<number, readonly number[]>;
  /** Where the other computed jumps lead, if the limits say how to know. */
  readonly computed: ReadonlySet<number>;
}

/** The part of a scan that tells where its blocks can begin. */
export interface BlockStarts {
  readonly entry: number;
  readonly leaders: ReadonlySet<number>;
  readonly instructions: { has(address: number): boolean };
  readonly computed: ReadonlySet<number>;
}

/** Whether a block of the region begins at `address`. */
export function beginsBlock({ leaders, instructions }: BlockStarts, address: number): boolean {
  return leaders.has(address) && instructions.has(address);
}

/** Where a hub of the scanned code leads, in ascending order; undefined: it gets none. */
export function hubTargets(scan: BlockStarts): number[] | undefined {
  const targets = [...scan.computed].filter((address) => beginsBlock(scan, address)).sort((a, b) => a - b);
  // Every entry of the region has to be among them.
  return targets.length >= 2 && targets.includes(scan.entry) ? targets : undefined;
}

/** Words of an instruction. */
const INSTRUCTION_WORDS = 6;

/*
 * A scan in words: entry, returns, number of instructions, those; leaders, references, computed as lists; number of
 * tables, and of each the address of the jump and its targets as a list.
 */

/** Writes a scan, instruction by instruction. */
export class ScanWriter {
  private readonly start: number;

  constructor(
    private readonly out: WordWriter,
    private readonly entry: number,
  ) {
    this.start = out.length;
    for (let i = 0; i < 3; i++) out.push(0);
  }

  instruction(eip: number, decoded: Decoded): void {
    const { out } = this;
    const { form, length, reg, rm, base, index, scale, segment, addressMask, displacement, immediate } = decoded;
    out.push(eip);
    out.push(form | (length << 16) | (scale << 20) | (segment << 22) | (addressMask === -1 ? 0 : 1 << 25));
    out.push(reg | (rm << 16));
    out.push(base | (index << 16));
    out.push(displacement);
    out.push(immediate);
  }

  finish(scan: Omit<Scan, 'entry' | 'instructions'>): void {
    const { out, start } = this;
    const instructions = (out.length - start - 3) / INSTRUCTION_WORDS;
    for (const [i, word] of [this.entry, scan.returns, instructions].entries()) out.set(start + i, word);
    out.pushList(scan.leaders);
    out.pushList(scan.references);
    out.pushList(scan.computed);
    out.push(scan.tables.size);
    for (const [jump, targets] of scan.tables) {
      out.push(jump);
      out.pushList(targets);
    }
  }

  /** Leaves nothing of it behind. */
  takeBack(): void {
    this.out.truncate(this.start);
  }
}

/** Reads what a `ScanWriter` has written. */
export function readScan(words: WordReader, forms: readonly HandlerForm[]): Scan {
  const entry = words.unsigned();
  const returns = words.unsigned();
  const instructions = new Map<number, Instruction>();
  for (let left = words.unsigned(); left > 0; left--) {
    const instruction = readInstruction(words, forms);
    instructions.set(instruction.eip, instruction);
  }
  const leaders = new Set(words.list());
  const references = new Set(words.list());
  const computed = new Set(words.list());
  const tables = new Map<number, readonly number[]>();
  for (let left = words.unsigned(); left > 0; left--) tables.set(words.unsigned(), words.list());
  return { entry, instructions, leaders, references, returns, tables, computed };
}

function readInstruction(words: WordReader, forms: readonly HandlerForm[]): Instruction {
  const eip = words.unsigned();
  const packed = words.unsigned();
  const registers = words.unsigned();
  const address = words.unsigned();
  const form = packed & 0xffff;
  return new Instruction(eip, forms[form]!, {
    form,
    length: (packed >>> 16) & 15,
    scale: (packed >>> 20) & 3,
    segment: (packed >>> 22) & 7,
    addressMask: packed & (1 << 25) ? 0xffff : -1,
    reg: registers & 0xffff,
    rm: registers >>> 16,
    base: address & 0xffff,
    index: address >>> 16,
    displacement: words.signed(),
    immediate: words.signed(),
  });
}
