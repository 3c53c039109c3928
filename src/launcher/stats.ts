/*L:340
 * Counting
 *
 * `--stats` answers the question that every visitor of a virtual machine asks: what did it do all the time? The same
 * numbers go to people (a table at the end) and to programs (JSON).
 */
import type { Statistics } from '../vm/statistics.js';

/** 1234567 → `1,234,567`. */
function grouped(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

function seconds(value: number): string {
  return `${value.toFixed(value < 10 ? 3 : 1)} s`;
}

interface Row {
  name: string;
  counts: number[];
}

/** Rows by their first count, largest first; columns aligned. */
function renderTable(title: string, columns: readonly string[], rows: Row[]): string[] {
  if (rows.length === 0) return [`${title}: none`];
  rows.sort((a, b) => b.counts[0]! - a.counts[0]!);
  const cells = rows.map((row) => [row.name, ...row.counts.map(grouped)]);
  const header = [title, ...columns];
  const widths = header.map((text, column) => Math.max(text.length, ...cells.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    row.map((text, column) => (column === 0 ? text.padEnd(widths[0]!) : text.padStart(widths[column]!))).join('  ');
  return [line(header), ...cells.map(line)];
}

/** Lines about instructions that the translator left to the interpreter. */
const MOST_INSTRUCTIONS = 12;

function renderTranslation({ translation, tierSeconds }: Statistics): string[] {
  if (translation === undefined) return [];
  const { translated, instructions, regions, bytes, modules, invalidated, cold, memory } = translation;
  const { emitMs, compileMs, leaves, leftFor } = translation;
  return [
    `translated ${grouped(translated)} regions, ${grouped(instructions)} instructions, in ${grouped(modules)} modules; ` +
      `${grouped(invalidated)} overwritten, ${grouped(cold)} given up, ${grouped(regions)} kept ` +
      `(${grouped(bytes / 1024)} KB of WebAssembly; with all of it about ${grouped(memory / 2 ** 20)} MB)`,
    `translating took ${seconds(emitMs / 1000)}, compiling ${seconds(compileMs / 1000)}`,
    `about ${seconds(tierSeconds.translated)} in translated code, ${seconds(tierSeconds.interpreted)} interpreting and ` +
      `serving, ${seconds(tierSeconds.translating)} waiting for the translator`,
    ...renderTable(
      'left translated code for',
      ['times'],
      Object.entries(leaves).map(([name, count]) => ({ name, counts: [count] })),
    ),
    ...renderTable(
      'left it for instruction',
      ['times'],
      Object.entries(leftFor)
        .slice(0, MOST_INSTRUCTIONS)
        .map(([name, count]) => ({ name, counts: [count] })),
    ),
  ];
}

/** The statistics for people, a few lines of text with a line end each. */
export function renderStatistics(statistics: Statistics): string {
  const { hypercalls, traps, interrupts } = statistics;
  const guest = [
    statistics.release === undefined ? undefined : `Linux ${statistics.release}`,
    statistics.generation === undefined ? undefined : `generation ${statistics.generation}`,
    statistics.pae ? 'PAE' : undefined,
    `${statistics.memoryMegabytes} MB`,
    statistics.restarts === 0 ? undefined : `restarted ${statistics.restarts} times`,
  ].filter((part) => part !== undefined);
  const cpu = statistics.cpuSeconds === undefined ? '' : `, processor ${seconds(statistics.cpuSeconds)}`;
  const lines = [
    `lguest statistics  ${guest.join(', ')}`,
    `instructions ${grouped(statistics.instructions)} (${(statistics.instructionsPerSecond / 1e6).toFixed(1)} million a second while running)`,
    `time ${seconds(statistics.wallSeconds)}, running ${seconds(statistics.runSeconds)}${cpu}`,
    ...renderTable(
      'hypercalls',
      ['direct', 'ring'],
      Object.entries(hypercalls).map(([name, { sync, ring }]) => ({ name, counts: [sync, ring] })),
    ),
    ...renderTable(
      'traps',
      ['all', 'to the guest'],
      Object.entries(traps).map(([name, { total, reflected }]) => ({ name, counts: [total, reflected] })),
    ),
    ...renderTable(
      'interrupts',
      ['delivered'],
      Object.entries(interrupts).map(([irq, count]) => ({ name: irq === '0' ? '0 (timer)' : irq, counts: [count] })),
    ),
    ...renderTranslation(statistics),
  ];
  return `${lines.join('\n')}\n`;
}

/** The statistics for programs. */
export function statisticsAsJson(statistics: Statistics): string {
  return `${JSON.stringify(statistics, undefined, 2)}\n`;
}
