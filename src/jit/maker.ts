import type { Forms } from '../cpu/interpreter/forms.js';
import { type MakerSetup, ModuleMaker } from './module-maker.js';

/** What has become of a request. */
export interface Made {
  /** What has become of each region (`readReport`). */
  readonly report: Int32Array;
  /** Undefined if nothing could be made. */
  readonly module: WebAssembly.Module | undefined;
  /** Bytes of the module. */
  readonly bytes: number;
  /** Milliseconds making it, and having it compiled. */
  readonly emitMs: number;
  readonly compileMs: number;
}

/** Makes modules of requests (`requests.ts`), here or in another thread. */
export interface Maker {
  /** It has nothing to do. */
  readonly idle: boolean;
  /** It has so much to do that nothing more should be requested. */
  readonly isBehind: boolean;
  /** Calls `done` within the call or later; with nothing if the request is lost. */
  make(request: Int32Array<ArrayBuffer>, done: (made: Made | undefined) => void): void;
}

/** Makes modules in this thread. */
export class LocalMaker implements Maker {
  readonly idle = true;
  readonly isBehind = false;
  private readonly modules: ModuleMaker;

  constructor(
    setup: MakerSetup,
    forms: Forms,
    /** Compiles where the module is made; else when the event loop has its turn. */
    private readonly synchronous: boolean,
    private readonly now: () => number,
  ) {
    this.modules = new ModuleMaker(setup, forms);
  }

  make(request: Int32Array<ArrayBuffer>, done: (made: Made | undefined) => void): void {
    const start = this.now();
    const { bytes, report } = this.modules.make(request);
    const middle = this.now();
    const emitMs = middle - start;
    const finish = (module?: WebAssembly.Module): void => {
      done({ report, module, bytes: bytes?.length ?? 0, emitMs, compileMs: this.now() - middle });
    };
    if (!bytes) finish();
    else if (this.synchronous) finish(new WebAssembly.Module(bytes));
    else WebAssembly.compile(bytes).then(finish, () => done(undefined));
  }
}
