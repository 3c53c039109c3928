import { hex } from './trace-hypercalls.js';

/** A region of translated code, as a trace shows it. */
export interface TracedRegion {
  /** Linear address of its entry. */
  readonly entry: number;
  readonly user: boolean;
  /** Guest instructions, and bytes of WebAssembly. */
  readonly instructions: number;
  readonly bytes: number;
}

/** What happened to the translator's code, without the name of the place. */
export type TranslationEvent =
  | { readonly kind: 'made'; readonly region: TracedRegion }
  | { readonly kind: 'ended'; readonly region: TracedRegion; readonly why: string }
  | { readonly kind: 'refused'; readonly entry: number; readonly user: boolean }
  | {
      readonly kind: 'module';
      readonly regions: number;
      readonly bytes: number;
      readonly emitMs: number;
      readonly compileMs: number;
    }
  | { readonly kind: 'flushed'; readonly regions: number; readonly bytes: number; readonly why: string };

const REASONS: Readonly<Record<string, string>> = {
  overwritten: 'its code was written',
  narrowed: 'its accesses straddle pages, to be made anew',
  replaced: 'the address led to too many kinds of code',
  cold: 'more than --jit-memory, and not in use',
  slots: 'too many addresses',
  dropped: 'asked for',
  state: 'the state was replaced',
};

/** `made 0xc0101234 kernel, 37 instructions, 1423 bytes`. */
export function describeTranslation(event: TranslationEvent): string {
  switch (event.kind) {
    case 'made': {
      const { entry, user, instructions, bytes } = event.region;
      return `made ${place(entry, user)}, ${instructions} instructions, ${bytes} bytes`;
    }
    case 'ended':
      return `ended ${place(event.region.entry, event.region.user)}: ${reason(event.why)}`;
    case 'refused':
      return `refused ${place(event.entry, event.user)}: its first instruction is left to the interpreter`;
    case 'module': {
      const { regions, bytes, emitMs, compileMs } = event;
      return `module of ${regions} regions, ${bytes} bytes, made in ${emitMs.toFixed(1)} ms, compiled in ${compileMs.toFixed(1)} ms`;
    }
    case 'flushed':
      return `forgot ${event.regions} regions, ${event.bytes} bytes: ${reason(event.why)}`;
  }
}

/** Where the event took place, if it is about one place. */
export function translationAddress(event: TranslationEvent): number | undefined {
  if (event.kind === 'made' || event.kind === 'ended') return event.region.entry;
  return event.kind === 'refused' ? event.entry : undefined;
}

function place(entry: number, user: boolean): string {
  return `${hex(entry)} ${user ? 'user' : 'kernel'}`;
}

function reason(why: string): string {
  return REASONS[why] ?? why;
}
