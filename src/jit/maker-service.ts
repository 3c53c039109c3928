import { Forms } from '../cpu/interpreter/forms.js';
import type { Made } from './maker.js';
import { type MakerSetup, ModuleMaker } from './module-maker.js';
import { Rehearsal } from './rehearsal.js';

/** What another thread is told: first what is the same for all modules, then requests. Only the latter are answered. */
export type MakerMessage = { readonly setup: MakerSetup } | { readonly request: Int32Array };

/** Makes and compiles modules for somebody in another thread. */
export class MakerService {
  private readonly forms = new Forms();
  private readonly rehearsal = new Rehearsal();
  private modules: ModuleMaker | undefined;

  /** `now`: milliseconds since some time. */
  constructor(private readonly now: () => number) {}

  /** The answer, a structured-cloneable value, if there is one. */
  receive(message: MakerMessage): Made | undefined {
    if ('setup' in message) {
      this.modules = new ModuleMaker(message.setup, this.forms);
      return undefined;
    }
    const start = this.now();
    const { bytes, report } = this.modules!.make(message.request);
    const middle = this.now();
    const module = bytes && new WebAssembly.Module(bytes);
    if (module) this.rehearsal.run(module);
    const compileMs = this.now() - middle;
    return { report, module, bytes: bytes?.length ?? 0, emitMs: middle - start, compileMs };
  }
}
