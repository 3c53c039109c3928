/*H:300
 * Hypercalls.
 *
 * What the guest cannot do by writing to memory it asks for: number in EAX, up to four arguments in registers, and
 * `int 0x1f` or `vmcall`. There is no result and there are no errors. Registers and flags come back as they were,
 * and a guest that asks for nonsense is killed.
 *
 * A hypercall is a row of this table. Numbers were reused over the years, so a row says for which generations it
 * holds. `ring` tells whether guests also leave the call in the asynchronous ring; the Host takes any call from it.
 */

import { CALL } from '../cpu/lguest-interface.js';
import type { Clock } from './clock.js';
import { type Generation, type GenerationTag, isBetween } from './generation.js';
import type { GuestMemory } from '../memory/guest-memory.js';
import type { InterruptTable } from './idt.js';
import type { Interrupts } from './interrupts.js';
import { killGuest } from './kill.js';
import type { PageTables } from './page-tables.js';
import type { Segments } from './segments.js';
import type { Traps } from './traps.js';

/** What hypercalls act on. */
export interface HypercallContext {
  readonly memory: GuestMemory;
  readonly idt: InterruptTable;
  readonly segments: Segments;
  readonly pageTables: PageTables;
  readonly traps: Traps;
  readonly interrupts: Interrupts;
  readonly clock: Clock;
  /** Bytes of guest-physical memory the guest may name. */
  readonly limit: number;
  /** NOTIFY: a queue, a device's status, or early console text. */
  notify(gpa: number): void;
  /** Virtual CR0.TS. */
  setTaskSwitched(set: boolean): void;
}

export interface HypercallRow {
  readonly number: number;
  readonly name: string;
  /** First and last generation that has it. */
  readonly generations: readonly [GenerationTag, GenerationTag];
  /** Only guests with PAE have it. */
  readonly paeOnly?: boolean;
  /** What the arguments are, in order. gpa: guest-physical, gva: linear address. */
  readonly arguments: readonly string[];
  readonly ring: boolean;
  /** `args` are unsigned and always four; missing ones are 0. */
  run(host: HypercallContext, args: readonly number[]): void;
}

export const LGUEST_INIT = 1;

// biome-ignore format: table
export const HYPERCALLS: readonly HypercallRow[] = [
  { number: CALL.flushAsync, name: 'FLUSH_ASYNC', generations: ['A', 'E2'], arguments: [], ring: false,
    // Nothing to do: the ring is emptied before every call.
    run: () => {} },
  { number: 1, name: 'LGUEST_INIT', generations: ['A', 'E2'], arguments: ['gpa of lguest_data'], ring: false,
    // The first one does not get here (initialise.ts).
    run: () => killGuest('already have lguest_data') },
  { number: 2, name: 'CRASH', generations: ['A', 'B1'], arguments: ['gpa of text'], ring: false,
    run: (host, [text]) => shutDown(host, text!, 1) },
  { number: 2, name: 'SHUTDOWN', generations: ['B2', 'E2'], arguments: ['gpa of text', 'reason'], ring: false,
    run: (host, [text, reason]) => shutDown(host, text!, reason!) },
  { number: 3, name: 'LOAD_GDT', generations: ['A', 'B2'], arguments: ['gpa of table', 'entries'], ring: false,
    run: (host, [table, entries]) => host.segments.loadTable(table!, entries!) },
  { number: CALL.newPageTable, name: 'NEW_PGTABLE', generations: ['A', 'E2'], arguments: ['gpa of directory'], ring: true,
    run: (host, [directory]) => host.pageTables.newPageTable(directory!) },
  { number: CALL.flushTlb, name: 'FLUSH_TLB', generations: ['A', 'E2'], arguments: ['everything'], ring: true,
    run: (host, [everything]) => host.pageTables.flush(everything !== 0) },
  { number: 6, name: 'LOAD_IDT_ENTRY', generations: ['A', 'E2'], arguments: ['vector', 'low', 'high'], ring: false,
    run: (host, [vector, low, high]) => host.idt.setGate(vector!, low!, high!) },
  { number: CALL.setStack, name: 'SET_STACK', generations: ['A', 'E2'], arguments: ['selector', 'gva of stack', 'pages'], ring: true,
    run: (host, [selector, pointer, pages]) => host.traps.setStack(selector!, pointer!, pages!) },
  { number: CALL.taskSwitched, name: 'TS', generations: ['A', 'E2'], arguments: ['set'], ring: true,
    run: (host, [set]) => host.setTaskSwitched(set !== 0) },
  { number: 9, name: 'SET_CLOCKEVENT', generations: ['A', 'E2'], arguments: ['nanoseconds'], ring: false,
    run: (host, [nanoseconds]) => host.clock.setAlarm(nanoseconds!) },
  { number: 10, name: 'HALT', generations: ['A', 'E2'], arguments: [], ring: false,
    run: (host) => { host.interrupts.halted = true; } },
  { number: 13, name: 'SET_PMD', generations: ['C2', 'E2'], paeOnly: true, arguments: ['gpa of PMD page', 'index'], ring: true,
    run: (host) => host.pageTables.flush(true) },
  { number: CALL.setPte, name: 'SET_PTE', generations: ['A', 'E2'], arguments: ['gpa of directory', 'gva', 'low', 'high'], ring: true,
    run: (host, [directory, linear]) => host.pageTables.setPte(directory!, linear!) },
  { number: CALL.setDirectoryEntry, name: 'SET_PMD', generations: ['A', 'C1'], arguments: ['gpa of directory', 'index'], ring: true,
    run: (host, [directory, index]) => host.pageTables.setDirectoryEntry(directory!, index!) },
  { number: CALL.setDirectoryEntry, name: 'SET_PGD', generations: ['C2', 'E2'], arguments: ['gpa of directory', 'index'], ring: true,
    run: (host, [directory, index]) => host.pageTables.setDirectoryEntry(directory!, index!) },
  { number: CALL.loadTls, name: 'LOAD_TLS', generations: ['A', 'E2'], arguments: ['gpa of descriptors', 'cpu'], ring: true,
    run: (host, [descriptors]) => host.segments.loadTls(descriptors!) },
  { number: 17, name: 'NOTIFY', generations: ['B1', 'D2'], arguments: ['gpa'], ring: false,
    run: (host, [gpa]) => host.notify(gpa!) },
  { number: 18, name: 'LOAD_GDT_ENTRY', generations: ['C1', 'E2'], arguments: ['index', 'low', 'high'], ring: false,
    run: (host, [index, low, high]) => host.segments.loadEntry(index!, low!, high!) },
  { number: 19, name: 'SEND_INTERRUPTS', generations: ['C2', 'E2'], arguments: [], ring: false,
    // Nothing to do: interrupts are looked at after every call.
    run: () => {} },
];

/** One more than the highest number ever used. */
export const HYPERCALL_NUMBERS = 20;

/** The rows that hold for a guest, by number; what it does not have is undefined. */
export function hypercallsOf(generation: Generation): readonly (HypercallRow | undefined)[] {
  const rows: (HypercallRow | undefined)[] = new Array(HYPERCALL_NUMBERS).fill(undefined);
  for (const row of HYPERCALLS) if (isBetween(generation.tag, ...row.generations)) rows[row.number] = row;
  return rows;
}

/**
 * Whether a call may have to do with time or interrupts, so that both are looked at behind it. What guests leave in the
 * ring may be late anyway, and so may the request to empty it.
 */
export function concernsTime(row: HypercallRow | undefined): boolean {
  return row === undefined || !(row.ring || row.number === CALL.flushAsync);
}

/** Runs one call. `rows` are `hypercallsOf` the guest. */
export function runHypercall(
  host: HypercallContext,
  rows: readonly (HypercallRow | undefined)[],
  number: number,
  args: readonly number[],
): void {
  const row = rows[number];
  if (row === undefined || (row.paeOnly === true && host.pageTables.pae !== true)) killGuest(`Bad hypercall ${number}`);
  row.run(host, args);
}

/*H:320
 * The end, as the guest wants it.
 *
 * The kernel's restart hook, its power-off hook and its panic all arrive here. Restart is looked at first: its text
 * may be a pointer to nothing. A power-off is known by its text alone, since a panic passes the same reason.
 */
const REASON_RESTART = 2;
const POWER_OFF_TEXT = 'Power down';
/** Bytes read of the text, the NUL included. */
const TEXT_BYTES = 128;

function shutDown(host: HypercallContext, textGpa: number, reason: number): void {
  if (reason === REASON_RESTART) killGuest('restart', 'restart');
  const text = readText(host, textGpa);
  if (text === POWER_OFF_TEXT) killGuest(text, 'power-off');
  killGuest(`CRASH: ${text}`);
}
/*:*/

/** NUL-terminated text of at most 127 bytes; what a terminal would obey comes out as a question mark. */
function readText(host: HypercallContext, gpa: number): string {
  const length = gpa < host.limit ? Math.min(TEXT_BYTES, host.limit - gpa) : TEXT_BYTES;
  const bytes = host.memory.bytes(gpa, length);
  let text = '';
  for (const byte of bytes.subarray(0, TEXT_BYTES - 1)) {
    if (byte === 0) break;
    text += byte < 0x20 && byte !== 0x0a && byte !== 0x09 ? '?' : String.fromCharCode(byte);
  }
  return text.trimEnd();
}
