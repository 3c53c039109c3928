/**
 * Hypercalls as text (lguest-abi.md, §4.2): the name of each call and what its arguments mean. Formatting happens
 * only while somebody watches; nothing here looks at more memory than a trace line shows.
 */

/** Reads guest memory for a trace line: at most `length` bytes from gpa on, fewer at the end of memory. */
export type Peek = (gpa: number, length: number) => Uint8Array;

interface HypercallRow {
  name: string;
  /** The arguments in words; `args` holds at least four unsigned numbers. */
  arguments(args: ArrayLike<number>, peek: Peek): string;
}

/** Longest piece of guest text in a line, bytes (the early console never sends more than 16 at a time). */
const TEXT_BYTES = 64;

/** 0x followed by lower-case digits without padding, as the kernel prints addresses. */
export function hex(value: number): string {
  return `0x${(value >>> 0).toString(16)}`;
}

/** NUL-terminated text at `gpa` in quotes, control characters written as escapes; cut after `TEXT_BYTES`. */
export function quoteGuestText(gpa: number, peek: Peek): string {
  const bytes = peek(gpa, TEXT_BYTES);
  const end = bytes.indexOf(0);
  const text = Array.from(end < 0 ? bytes : bytes.subarray(0, end), (byte) => String.fromCharCode(byte)).join('');
  return `${JSON.stringify(text)}${end < 0 && bytes.length > 0 ? '…' : ''}`;
}

/** Flag names of a page-table entry (SDM vol. 3, 4.3), in bit order; bits without a name are left out. */
const PTE_FLAGS = ['present', 'writable', 'user', 'write-through', 'uncached', 'accessed', 'dirty', 'large', 'global'];

/** A page-table entry: where it points and which flags it carries. `high` is 0 without PAE. */
export function describePte(low: number, high: number): string {
  const entry = high === 0 ? hex(low) : `0x${(high >>> 0).toString(16)}${(low >>> 0).toString(16).padStart(8, '0')}`;
  if ((low & 1) === 0) return `${entry} (not present)`;
  const flags = PTE_FLAGS.filter((_, bit) => bit > 0 && (low & (1 << bit)) !== 0);
  if ((high & 0x8000_0000) !== 0) flags.push('no-execute');
  const frame = (high & 0xf) * 0x1_0000_0000 + ((low & 0xffff_f000) >>> 0);
  return `${entry} (frame 0x${frame.toString(16)}${flags.length > 0 ? ` ${flags.join(' ')}` : ''})`;
}

/** Gate types that an IDT entry may have (SDM vol. 3, table 3-2). */
const GATE_TYPES: Record<number, string> = {
  5: 'task',
  6: '16-bit interrupt',
  7: '16-bit trap',
  14: 'interrupt',
  15: 'trap',
};

/** An IDT gate: kind, target and who may use it (SDM vol. 3, figure 6-2). */
export function describeGate(low: number, high: number): string {
  if ((high & 0x8000) === 0) return 'not present';
  const target = ((high & 0xffff_0000) | (low & 0xffff)) >>> 0;
  const kind = GATE_TYPES[(high >>> 8) & 31] ?? `type ${(high >>> 8) & 31}`;
  return `${kind} gate to ${hex(low >>> 16)}:${hex(target)}, dpl ${(high >>> 13) & 3}`;
}

/** A segment descriptor: base, limit in bytes, kind and privilege (SDM vol. 3, 3.4.5). */
export function describeDescriptor(low: number, high: number): string {
  if (low === 0 && high === 0) return 'empty';
  const base = ((high & 0xff00_0000) | ((high & 0xff) << 16) | (low >>> 16)) >>> 0;
  const limit20 = (high & 0x000f_0000) | (low & 0xffff);
  const limit = (high & 0x0080_0000) !== 0 ? limit20 * 4096 + 4095 : limit20;
  const dpl = (high >>> 13) & 3;
  const type = (high >>> 8) & 15;
  let kind = `system type ${type}`;
  if ((high & 0x1000) !== 0) {
    if ((type & 8) !== 0)
      kind = `code${(type & 4) !== 0 ? ' conforming' : ''}${(type & 2) !== 0 ? '' : ' execute-only'}`;
    else kind = `data${(type & 4) !== 0 ? ' expand-down' : ''}${(type & 2) !== 0 ? '' : ' read-only'}`;
  }
  const present = (high & 0x8000) !== 0 ? '' : ', not present';
  return `${kind} base ${hex(base)} limit ${hex(limit)}, dpl ${dpl}${present}`;
}

/** NOTIFY kicks a queue, or prints a text (§9.4); what is there looks like one or the other. */
function describeNotify(gpa: number, peek: Peek): string {
  const bytes = peek(gpa, TEXT_BYTES);
  const end = bytes.indexOf(0);
  const isText =
    end > 0 && bytes.subarray(0, end).every((byte) => (byte >= 0x20 && byte < 0x7f) || (byte >= 9 && byte <= 13));
  return isText ? `${hex(gpa)} ${quoteGuestText(gpa, peek)}` : hex(gpa);
}

const nothing = (): string => '';

const SET_PMD_BEFORE_PAE: HypercallRow = {
  name: 'SET_PMD',
  arguments: (a) => `pgdir=${hex(a[0]!)} index=${a[1]}`,
};

/** One row per call number; generations C1 to D2 (11 was never used, 3 ended with 2.6.29, 12 was 2.6.23's). */
const ROWS: Record<number, HypercallRow> = {
  0: { name: 'FLUSH_ASYNC', arguments: nothing },
  1: { name: 'LGUEST_INIT', arguments: (a) => `lguest_data=${hex(a[0]!)}` },
  2: {
    name: 'SHUTDOWN',
    arguments: (a, peek) =>
      `${a[1] === 2 ? 'restart' : a[1] === 1 ? 'power off' : `reason ${a[1]}`} ${quoteGuestText(a[0]!, peek)}`,
  },
  3: { name: 'LOAD_GDT', arguments: (a) => `table=${hex(a[0]!)} entries=${a[1]}` },
  4: { name: 'NEW_PGTABLE', arguments: (a) => `pgdir=${hex(a[0]!)}` },
  5: { name: 'FLUSH_TLB', arguments: (a) => (a[0] === 0 ? 'user part' : 'everything') },
  6: { name: 'LOAD_IDT_ENTRY', arguments: (a) => `vector=${a[0]} ${describeGate(a[1]!, a[2]!)}` },
  7: { name: 'SET_STACK', arguments: (a) => `ss=${hex(a[0]!)} esp=${hex(a[1]!)} pages=${a[2]}` },
  8: { name: 'TS', arguments: (a) => (a[0] === 0 ? 'clear' : 'set') },
  9: { name: 'SET_CLOCKEVENT', arguments: (a) => (a[0] === 0 ? 'cancel' : `in ${a[0]} ns`) },
  10: { name: 'HALT', arguments: nothing },
  12: { name: 'BIND_DMA', arguments: (a) => `key=${hex(a[0]!)} dmas=${hex(a[1]!)}` },
  13: { name: 'SET_PMD', arguments: (a) => `pmd=${hex(a[0]!)} index=${a[1]}` },
  14: {
    name: 'SET_PTE',
    arguments: (a) => `pgdir=${hex(a[0]!)} gva=${hex(a[1]!)} pte=${describePte(a[2]!, a[3]!)}`,
  },
  15: { name: 'SET_PGD', arguments: (a) => `pgdir=${hex(a[0]!)} index=${a[1]}` },
  16: { name: 'LOAD_TLS', arguments: (a) => `descriptors=${hex(a[0]!)} cpu=${a[1]}` },
  17: { name: 'NOTIFY', arguments: (a, peek) => describeNotify(a[0]!, peek) },
  18: { name: 'LOAD_GDT_ENTRY', arguments: (a) => `index=${a[0]} ${describeDescriptor(a[1]!, a[2]!)}` },
  19: { name: 'SEND_INTERRUPTS', arguments: nothing },
};

/** The name of call `number`; an unknown one is called by its number. `generation` as in the ABI ('C1'). */
export function hypercallName(number: number, generation?: string): string {
  return rowOf(number, generation)?.name ?? `hypercall ${number >>> 0}`;
}

/** Name and arguments of a call, as one piece of text without line end. */
export function describeHypercall(number: number, args: ArrayLike<number>, peek: Peek, generation?: string): string {
  const row = rowOf(number, generation);
  if (row === undefined) return `unknown ${number >>> 0} (${Array.from(args, hex).join(' ')})`;
  const words = row.arguments(args, peek);
  return words === '' ? row.name : `${row.name} ${words}`;
}

/** 15 was renamed when PAE came with 2.6.31 (§4.2). */
function rowOf(number: number, generation?: string): HypercallRow | undefined {
  return number === 15 && generation === 'C1' ? SET_PMD_BEFORE_PAE : ROWS[number];
}
