import { DECODE, type Decoded, Decoder, MAX_INSTRUCTION_BYTES } from '../cpu/decoder.js';
import type { HandlerForm } from '../cpu/interpreter/forms.js';
import { TRANSLATED_MODE, type TranslatorHost } from '../cpu/translator.js';
import { RAM_BASE, STATE } from '../memory/layout.js';
import { type BlockStarts, ScanWriter } from './scan.js';
import type { WordWriter } from './words.js';

/** What a scan has found, besides what it has written. */
export interface Found extends BlockStarts {
  readonly instructions: ReadonlySet<number>;
  readonly tables: ReadonlyMap<number, readonly number[]>;
  /** Where calls and jumps lead whose targets are known. */
  readonly calls: ReadonlySet<number>;
  readonly jumps: ReadonlySet<number>;
}

/** The bytes that scans have read. */
export class ScannedBytes {
  /** Linear page → guest-physical address of the page. */
  readonly pages = new Map<number, number>();
  /** Consecutive instructions, at linear addresses. */
  readonly runs: { readonly eip: number; readonly length: number }[] = [];
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

/** Where an instruction at `eip` may go on, besides behind it, as far as its bytes tell. */
function branchTarget(eip: number, { encoding, size }: HandlerForm, decoded: Decoded): number | undefined {
  if (encoding.operands[0]?.kind !== 'relative' || (encoding.sized && size === 16)) return undefined;
  return (eip + decoded.length + decoded.immediate) >>> 0;
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

  /** Writes what there is at `entry` to `out`, and notes its bytes; undefined if that is nothing. */
  scan(entry: number, user: boolean, limits: ScanLimits, bytes: ScannedBytes, out: WordWriter): Found | undefined {
    const writer = new ScanWriter(out, entry);
    const instructions = new Set<number>();
    const leaders = new Set<number>([entry]);
    const references = new Set<number>();
    const calls = new Set<number>();
    const jumps = new Set<number>();
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
    const { decoded } = this.decoder;
    for (let i = 0; i < queue.length; i++) {
      const start = queue[i]!;
      let at = start;
      while (instructions.size < limits.instructions && !instructions.has(at)) {
        const form = this.decode(at, user, bytes.pages);
        if (!form) break;
        instructions.add(at);
        writer.instruction(at, decoded);
        const eip = at;
        const next = (at + decoded.length) >>> 0;
        at = next;
        const { row } = form;
        if (row.ends) {
          const target = branchTarget(eip, form, decoded);
          const call = row.name === 'call';
          if (row.name === 'ret') returns++;
          if (target !== undefined && call) calls.add(target);
          if (target !== undefined && !call) {
            references.add(target);
            lead(target);
            if (row.name === 'jmp') jumps.add(target);
            else references.add(next);
          }
          if (row.name === 'jmp' && target === undefined) {
            const targets = this.readTable(eip, form, user, limits);
            tables.set(eip, targets);
            if (hub && targets.length === 0) hub.targets(eip).forEach(enter);
            for (const address of targets) {
              references.add(address);
              lead(address);
            }
          }
          const resumes = row.ends === 'next' || row.resumes === decoded.immediate;
          if (call || resumes || (target !== undefined && row.name !== 'jmp')) lead(next);
          break;
        }
        // Repetitions put registers into the state. Only behind the end of a block is it known that those differ.
        if (form.repeat !== 'none') leaders.add(next);
      }
      if (at !== start) bytes.runs.push({ eip: start, length: at - start });
    }
    if (!instructions.has(entry)) {
      writer.takeBack();
      return undefined;
    }
    writer.finish({ leaders, references, returns, tables, computed });
    return { entry, instructions, leaders, tables, computed, calls, jumps };
  }

  /**
   * Where `jmp table(,index,4)` may lead: entries of the table as far as they look like code nearby that has run.
   * A guess, which the translated code compares with what the jump reads.
   */
  private readTable(eip: number, form: HandlerForm, user: boolean, limits: ScanLimits): number[] {
    const { base, index, scale, displacement } = this.decoder.decoded;
    if (!form.isMemory(0) || base !== STATE.zero || index === STATE.zero || scale !== 2) return [];
    const targets = new Set<number>();
    for (let i = 0; i < MOST_TABLE_ENTRIES; i++) {
      const at = (displacement + 4 * i) >>> 0;
      const page = this.host.mappedPage(at, user);
      if (page < 0 || (at & 0xfff) > 0xffc || page >= this.host.memory.size) break;
      const target = this.host.memory.view.getUint32(RAM_BASE + page + (at & 0xfff), true);
      if (Math.abs(target - eip) > LARGEST_SWITCH) break;
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

  /** Decodes one instruction, and notes the pages of its bytes; undefined if there is none. */
  private decode(eip: number, user: boolean, pages: Map<number, number>): HandlerForm | undefined {
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
    return host.forms.list[decoder.decoded.form];
  }
}
