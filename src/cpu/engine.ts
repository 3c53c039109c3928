import { RAM_BASE } from '../memory/layout.js';
import type { Helper } from './context.js';
import { HELPERS } from './helpers.js';
import { Forms } from './interpreter/forms.js';
import { buildInterpreterModule } from './interpreter/interpreter-module.js';
import { buildX87Module } from './x87-unit/routines.js';

/** Modules as bytes: of the interpreter with a way into translated code, and of the x87's routines. */
export interface EmittedModules {
  readonly interpreter: Uint8Array<ArrayBuffer>;
  readonly x87: Uint8Array<ArrayBuffer>;
}

const OWN_PAGES = RAM_BASE / 0x1_0000;

/** The compiled interpreter and its tables. What it has not been given it emits, and compiles on first use. */
export class Engine {
  readonly forms = new Forms();
  readonly helpers: readonly Helper[] = Object.values(HELPERS);
  readonly helperNumbers: ReadonlyMap<string, number> = new Map(
    Object.keys(HELPERS).map((name, number) => [name, number]),
  );
  private readonly modules: (WebAssembly.Module | undefined)[] = [];
  private x87: WebAssembly.Module | undefined;

  constructor(private readonly given: EmittedModules | undefined) {}

  /** The interpreter with or without a way into translated code. */
  module(translated: boolean): WebAssembly.Module {
    return (this.modules[Number(translated)] ??= new WebAssembly.Module(
      (translated ? this.given?.interpreter : undefined) ?? this.emitInterpreter(translated),
    ));
  }

  /** The routines of the x87. */
  x87Module(): WebAssembly.Module {
    return (this.x87 ??= new WebAssembly.Module(this.given?.x87 ?? buildX87Module(OWN_PAGES)));
  }

  /** What an engine can be given. */
  emit(): EmittedModules {
    return { interpreter: this.emitInterpreter(true), x87: buildX87Module(OWN_PAGES) };
  }

  private emitInterpreter(translated: boolean): Uint8Array<ArrayBuffer> {
    const numberOf = (name: string): number => {
      const number = this.helperNumbers.get(name);
      if (number === undefined) throw new Error(`instruction rows call an unknown helper, ${name}`);
      return number;
    };
    return buildInterpreterModule(this.forms, OWN_PAGES, numberOf, translated);
  }
}

/** The engine is the same for every processor: made once, on first use. */
let engine: Engine | undefined;

/** `given`: modules that the build has emitted, if this is the first use. */
export function sharedEngine(given?: EmittedModules): Engine {
  engine ??= new Engine(given);
  return engine;
}
