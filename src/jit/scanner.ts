import { DECODE, Decoder, MAX_INSTRUCTION_BYTES, MODE } from '../cpu/decoder.js';
import type { TranslatorHost } from '../cpu/translator.js';
import { RAM_BASE, STATE } from '../memory/layout.js';
import { Instruction } from './instruction.js';

/** The only mode in which code is translated. */
export const TRANSLATED_MODE = MODE.code32 | MODE.stack32 | MODE.flat;

/** What a scan has found. */
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

export interface ScanLimits {
  instructions: number;
  /** Follow branches only to code that has run. */
  onlyWhatRan: boolean;
  /** Computed jumps are followed to where they have gone so far (by address of the jump), and to `entries`. */
  hub?: { readonly entries: readonly number[]; targets(jump: number): readonly number[] };
}

const MOST_TABLE_ENTRIES = 256;
/** Bytes between the first and the last target of a computed jump. */
const LARGEST_SWITCH = 4096;
/** Bytes between the entry of a region and where its computed jumps go. */
export const LARGEST_HUB = 0x1_0000;

/** Where an instruction may go on, besides behind it, as far as its bytes tell. */
export function branchTarget(instruction: Instruction): number | undefined {
  const { encoding, size } = instruction.handler;
  if (encoding.operands[0]?.kind !== 'relative' || (encoding.sized && size === 16)) return undefined;
  return (instruction.eip + instruction.length + instruction.immediate) >>> 0;
}

/** Finds the instructions that can be reached from an address by direct jumps and behind calls. */
export class Scanner {
  readonly host: TranslatorHost;
  private readonly decoder: Decoder;
  private readonly window = new Uint8Array(2 * MAX_INSTRUCTION_BYTES);

  constructor(host: TranslatorHost) {
    this.host = host;
    this.decoder = new Decoder(host.forms);
  }

  /** Notes the pages of all bytes in `pages`: linear page → guest-physical address of the page. */
  scan(entry: number, user: boolean, limits: ScanLimits, pages: Map<number, number>): Scan {
    const instructions = new Map<number, Instruction>();
    const leaders = new Set<number>([entry]);
    const references = new Set<number>();
    let returns = 0;
    const tables = new Map<number, readonly number[]>();
    const queue = [entry];
    const lead = (address: number): void => {
      if (leaders.has(address)) return;
      if (limits.onlyWhatRan && !this.hasRun(address, user)) return;
      leaders.add(address);
      queue.push(address);
    };
    const { hub } = limits;
    const computed = new Set<number>();
    const enter = (address: number): void => {
      if (Math.abs(address - entry) > LARGEST_HUB || computed.has(address) || !this.hasRun(address, user)) return;
      computed.add(address);
      references.add(address);
      lead(address);
    };
    if (hub) {
      enter(entry);
      hub.entries.forEach(enter);
    }
    for (let i = 0; i < queue.length; i++) {
      let at = queue[i]!;
      while (instructions.size < limits.instructions && !instructions.has(at)) {
        const instruction = this.decode(at, user, pages);
        if (!instruction) break;
        instructions.set(at, instruction);
        const next = (at + instruction.length) >>> 0;
        const { row } = instruction.handler;
        if (row.ends) {
          const target = branchTarget(instruction);
          const call = row.name === 'call';
          if (row.name === 'ret') returns++;
          if (target !== undefined && !call) {
            references.add(target);
            lead(target);
            if (row.name !== 'jmp') references.add(next);
          }
          if (row.name === 'jmp' && target === undefined) {
            const targets = this.readTable(instruction, user, limits);
            tables.set(at, targets);
            if (hub && targets.length === 0) hub.targets(at).forEach(enter);
            for (const address of targets) {
              references.add(address);
              lead(address);
            }
          }
          if (call || row.ends === 'next' || (target !== undefined && row.name !== 'jmp')) lead(next);
          break;
        }
        // Repetitions put registers into the state. Only behind the end of a block is it known that those differ.
        if (instruction.handler.repeat !== 'none') leaders.add(next);
        at = next;
      }
    }
    return { entry, instructions, leaders, references, returns, tables, computed };
  }

  /**
   * Where `jmp table(,index,4)` may lead: entries of the table as far as they look like code nearby that has run.
   * A guess, which the translated code compares with what the jump reads.
   */
  private readTable(instruction: Instruction, user: boolean, limits: ScanLimits): number[] {
    const { base, index, scale, displacement, handler } = instruction;
    if (!handler.isMemory(0) || base !== STATE.zero || index === STATE.zero || scale !== 2) return [];
    const targets = new Set<number>();
    for (let i = 0; i < MOST_TABLE_ENTRIES; i++) {
      const at = (displacement + 4 * i) >>> 0;
      const page = this.host.mappedPage(at, user);
      if (page < 0 || (at & 0xfff) > 0xffc || page >= this.host.memory.size) break;
      const target = this.host.memory.view.getUint32(RAM_BASE + page + (at & 0xfff), true);
      if (Math.abs(target - instruction.eip) > LARGEST_SWITCH) break;
      if (!limits.onlyWhatRan || this.hasRun(target, user)) targets.add(target);
    }
    const sorted = [...targets].sort((a, b) => a - b);
    return sorted.length > 1 && sorted[sorted.length - 1]! - sorted[0]! <= LARGEST_SWITCH ? sorted : [];
  }

  /** Whether the interpreter has decoded a block there. */
  hasRun(address: number, user: boolean): boolean {
    const page = this.host.mappedPage(address, user);
    return page >= 0 && this.host.hasRun(page + (address & 0xfff), TRANSLATED_MODE);
  }

  private decode(eip: number, user: boolean, pages: Map<number, number>): Instruction | undefined {
    const { host, decoder, window } = this;
    const page = host.mappedPage(eip, user);
    if (page < 0 || page >= host.memory.size) return undefined;
    const bytes = host.memory.u8;
    const inPage = 0x1000 - (eip & 0xfff);
    const at = RAM_BASE + page + (eip & 0xfff);
    let outcome = decoder.decode(bytes, at, at + inPage, TRANSLATED_MODE);
    let second = -1;
    if (outcome === DECODE.more) {
      const linear = (eip + inPage) >>> 0;
      second = host.mappedPage(linear, user);
      if (second < 0 || second >= host.memory.size) return undefined;
      window.set(bytes.subarray(at, at + inPage));
      window.set(bytes.subarray(RAM_BASE + second, RAM_BASE + second + MAX_INSTRUCTION_BYTES), inPage);
      outcome = decoder.decode(window, 0, inPage + MAX_INSTRUCTION_BYTES, TRANSLATED_MODE);
      if (outcome === DECODE.ok) pages.set(linear >>> 12, second);
    }
    if (outcome !== DECODE.ok) return undefined;
    if (pages.get(eip >>> 12) !== page) pages.set(eip >>> 12, page);
    const { decoded } = decoder;
    return new Instruction(eip, host.forms.list[decoded.form]!, decoded);
  }
}
