/** Measurements as text: a table for each group, and the verdict. Markdown, which reads well in a terminal, too. */
import {
  LEAST_SPEED_OF_PEERS,
  mediansOf,
  meanRatio,
  MOST_BEHIND_A_PEER,
  type ProgramRuns,
  type TimeKind,
} from './measurements.js';

export interface ReportGroup {
  name: string;
  title: string;
  target?: number;
}

export interface Report {
  /** Markdown. */
  tables: string;
  /** Sentences, each a missed target; empty if all are met, or nothing can be said. */
  missed: string[];
}

const US = 'lguest';
const NATIVE = 'native';

/** Whose times are in which columns. */
interface Columns {
  contestants: readonly string[];
  /** What all others are compared with: native times, or else the first contestant's. */
  reference: string;
  others: readonly string[];
  /** Whose speed is also compared with ours. */
  peers: readonly string[];
}

/** `contestants` in the order of the columns. */
export function renderReport(
  groups: readonly ReportGroup[],
  programs: readonly ProgramRuns[],
  contestants: readonly string[],
  kind: TimeKind,
): Report {
  const reference = contestants.includes(NATIVE) ? NATIVE : (contestants[0] ?? NATIVE);
  const others = contestants.filter((name) => name !== reference);
  const peers = contestants.filter((name) => name !== NATIVE && name !== US);
  const columns: Columns = { contestants, reference, others, peers };
  const missed: string[] = [];
  const summary: string[][] = [];
  const details: string[] = [];
  for (const group of groups) {
    const members = programs.filter((program) => program.group === group.name);
    if (members.length === 0) continue;
    const medians = members.map((program) => mediansOf(program, kind));
    details.push(renderGroup(group, members, medians, columns, missed));
    summary.push(summariseGroup(group, medians, columns, missed));
  }
  const ratios = others.map((name) => `${name} × ${reference}`);
  const head = ['group', ...ratios, 'target', ...peers.map((name) => `${name} ÷ ${US}`)];
  const tables = [`## Geometric means\n\n${renderTable([head, ...summary])}`, ...details].join('\n');
  return { tables, missed };
}

function renderGroup(
  group: ReportGroup,
  members: readonly ProgramRuns[],
  medians: readonly ReadonlyMap<string, number>[],
  { contestants, reference, others, peers }: Columns,
  missed: string[],
): string {
  const rivals = peers.filter((name) => LEAST_SPEED_OF_PEERS.has(name));
  const head = ['program', ...contestants.map((name) => `${name} ms`), ...others.map((name) => `${name} ×`), ''];
  const rows = members.map(({ name }, index) => {
    const times = medians[index]!;
    const base = times.get(reference) ?? Number.NaN;
    const best = Math.min(...rivals.map((rival) => times.get(rival) ?? Number.POSITIVE_INFINITY));
    const behind = (times.get(US) ?? 0) / best;
    if (behind > MOST_BEHIND_A_PEER) {
      missed.push(`${group.name}/${name} is ${behind.toFixed(2)} times slower than the better peer.`);
    }
    return [
      name,
      ...contestants.map((contestant) => formatMs(times.get(contestant))),
      ...others.map((contestant) => formatRatio((times.get(contestant) ?? Number.NaN) / base)),
      behind > MOST_BEHIND_A_PEER ? `${formatRatio(behind)} × the better peer` : '',
    ];
  });
  return `## ${group.title}\n\n${renderTable([head, ...rows])}`;
}

function summariseGroup(
  group: ReportGroup,
  medians: readonly ReadonlyMap<string, number>[],
  { reference, others, peers }: Columns,
  missed: string[],
): string[] {
  const ours = meanRatio(medians, US, NATIVE);
  if (group.target !== undefined && ours > group.target) {
    missed.push(`${group.name} takes ${formatRatio(ours)} times native; the target is ${group.target}.`);
  }
  const speeds = peers.map((peer) => {
    const speed = meanRatio(medians, peer, US);
    const least = LEAST_SPEED_OF_PEERS.get(peer);
    if (least !== undefined && speed < least) {
      missed.push(`${group.name} is ${formatRatio(speed)} times as fast as ${peer}; the target is ${least}.`);
    }
    return formatRatio(speed);
  });
  return [
    group.title,
    ...others.map((name) => formatRatio(meanRatio(medians, name, reference))),
    group.target === undefined ? '' : `≤ ${group.target}`,
    ...speeds,
  ];
}

/** Milliseconds; a dash for what was not measured. */
export function formatMs(milliseconds: number | undefined): string {
  return milliseconds === undefined || Number.isNaN(milliseconds) ? '–' : milliseconds.toFixed(0);
}

export function formatRatio(ratio: number): string {
  return Number.isFinite(ratio) ? ratio.toFixed(ratio < 9.95 ? 2 : ratio < 99.5 ? 1 : 0) : '–';
}

/** Rows of equal length, the first one the head; columns other than the first are numbers, on the right. */
export function renderTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(3, ...rows.map((row) => row[column]!.length)));
  const render = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join(' | ')} |\n`;
  const rule = `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|\n`;
  return [render(rows[0]!), rule, ...rows.slice(1).map(render)].join('');
}
