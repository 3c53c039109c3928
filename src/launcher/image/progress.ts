/** The lines that tell what is being done; only on a terminal, where each grows in its place. */

/** What is needed of a place to write to; a `ByteSink` is one. */
export interface ProgressSink {
  readonly isTerminal: boolean;
  size?(): { columns: number; rows: number } | undefined;
  write(text: string): void;
}

const BAR_CHARACTERS = 20;
const NAME_CHARACTERS = 28;
/** A line is not written anew more often than this, milliseconds. */
const PERIOD_MS = 50;

export class Progress {
  private readonly sink: ProgressSink;
  private readonly nowMs: () => number;
  private name: string | undefined;
  private titled = false;
  private lastMs = Number.NEGATIVE_INFINITY;

  constructor(sink: ProgressSink, nowMs: () => number = () => performance.now()) {
    this.sink = sink;
    this.nowMs = nowMs;
  }

  /** `lguest  TEXT`; only the first one is printed. */
  title(text: string): void {
    const first = !this.titled;
    this.titled = true;
    if (first && this.sink.isTerminal) this.sink.write(`lguest  ${text}\n`);
  }

  /** Begins a line. */
  begin(name: string, text = ''): void {
    this.name = name;
    this.lastMs = Number.NEGATIVE_INFINITY;
    this.draw(text);
  }

  /** So far: `fraction` from 0 to 1, and how large the whole is, bytes. */
  update(fraction: number, totalBytes: number | undefined): void {
    if (this.nowMs() - this.lastMs >= PERIOD_MS) this.draw(renderBar(fraction, totalBytes));
  }

  /** Ends the line. */
  end(text: string): void {
    if (this.name === undefined) return;
    this.draw(text);
    this.name = undefined;
    if (this.sink.isTerminal) this.sink.write('\n');
  }

  /** Leaves the line as it is: something went wrong, and its sentence comes next. */
  abandon(): void {
    if (this.name !== undefined && this.sink.isTerminal) this.sink.write('\n');
    this.name = undefined;
  }

  private draw(text: string): void {
    this.lastMs = this.nowMs();
    if (!this.sink.isTerminal || this.name === undefined) return;
    const columns = this.sink.size?.()?.columns ?? 80;
    const line = `  ${this.name.padEnd(NAME_CHARACTERS)}${text}`;
    this.sink.write(`\r${line.slice(0, Math.max(1, columns - 1))}\x1b[K`);
  }
}

export function renderBar(fraction: number, totalBytes: number | undefined): string {
  const full = Math.round(Math.min(1, Math.max(0, fraction)) * BAR_CHARACTERS);
  const bar = '█'.repeat(full) + '░'.repeat(BAR_CHARACTERS - full);
  return totalBytes === undefined ? bar : `${bar}  ${formatMegabytes(totalBytes).padStart(8)}`;
}

/** 34123456 → `34.1 MB`. */
export function formatMegabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
