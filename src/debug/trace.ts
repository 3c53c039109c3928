import { describeInterrupt, describeTrap } from './trace-events.js';
import { describeHypercall, hex, type Peek } from './trace-hypercalls.js';
import { describeTranslation, type TranslationEvent, translationAddress } from './trace-translation.js';

export const TRACE_TOPICS = ['hypercalls', 'traps', 'interrupts', 'instructions', 'translation'] as const;
export type TraceTopic = (typeof TRACE_TOPICS)[number];

/** What a trace line needs to know about the machine; asked only while a line is made. */
export interface TraceView {
  /** Instructions retired since the start: the time stamp of a line, the same in every run. */
  retired(): number;
  peek: Peek;
  /** The generation's tag once LGUEST_INIT has shown it. */
  generation(): string | undefined;
  /** Name of the code at `eip` (`schedule+0x12`), if one is known. */
  symbol?(eip: number): string | undefined;
}

/** Text collected before it goes out: writing every line by itself would cost more than making it. */
const BUFFER_CHARACTERS = 16_384;

/**
 * Turns events into lines:
 *
 *     11052816 hypercall SET_PTE pgdir=0x3f3000 gva=0xc3fff000 pte=0x3fff063 (frame 0x3fff000 writable accessed dirty)
 *     11052901 trap 14 page fault at 0xb7f2c000 (read from user, not present) eip=0xb7f1d2a3 ring 3, to the guest
 *
 * The first column counts instructions. `(ring)` marks hypercalls that came through the asynchronous ring.
 */
export class Tracer {
  readonly topics: ReadonlySet<TraceTopic>;
  /** Off: events pass without a trace. The console menu switches it. */
  enabled = true;
  private readonly view: TraceView;
  private readonly write: (text: string) => void;
  private buffer = '';

  constructor(topics: Iterable<TraceTopic>, view: TraceView, write: (text: string) => void) {
    this.topics = new Set(topics);
    this.view = view;
    this.write = write;
  }

  hypercall(call: number, args: ArrayLike<number>, viaRing: boolean): void {
    if (!this.enabled) return;
    const text = describeHypercall(call, args, this.view.peek, this.view.generation());
    this.line(`hypercall ${text}${viaRing ? ' (ring)' : ''}`);
  }

  trap(vector: number, errorCode: number, eip: number, cpl: number, address: number, reflected: boolean): void {
    if (!this.enabled) return;
    this.line(`trap ${describeTrap(vector, errorCode, eip, cpl, address, reflected)}${this.place(eip)}`);
  }

  interrupt(irq: number, eip: number): void {
    if (!this.enabled) return;
    this.line(`interrupt ${describeInterrupt(irq, eip)}${this.place(eip)}`);
  }

  /** `text` is the instruction in assembler notation. */
  instruction(eip: number, text: string): void {
    if (!this.enabled) return;
    this.line(`${hex(eip)} ${text}${this.place(eip)}`);
  }

  translation(event: TranslationEvent): void {
    if (!this.enabled) return;
    const address = translationAddress(event);
    this.line(`translation ${describeTranslation(event)}${address === undefined ? '' : this.place(address)}`);
  }

  /** Hands out what has collected. */
  flush(): void {
    if (this.buffer === '') return;
    const text = this.buffer;
    this.buffer = '';
    this.write(text);
  }

  private place(eip: number): string {
    const symbol = this.view.symbol?.(eip);
    return symbol === undefined ? '' : ` <${symbol}>`;
  }

  private line(text: string): void {
    this.buffer += `${String(this.view.retired()).padStart(12)} ${text}\n`;
    if (this.buffer.length >= BUFFER_CHARACTERS) this.flush();
  }
}
