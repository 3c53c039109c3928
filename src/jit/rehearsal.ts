import { LOWEST_MEMORY_PAGES } from './module-maker.js';
import { STATE } from '../memory/layout.js';

/**
 * Runs the functions of modules once, for a guest that has no time left: all they do is leave. Engines compile a
 * function when it is called first, and what one thread has had compiled is there for all.
 */
export class Rehearsal {
  private readonly memory = new WebAssembly.Memory({ initial: LOWEST_MEMORY_PAGES });
  private readonly table = new WebAssembly.Table({ element: 'anyfunc', initial: 1 });

  constructor() {
    // No slot and no entry of the jump cache has this key.
    new Int32Array(this.memory.buffer)[STATE.codeKey >> 2] = 1;
  }

  run(module: WebAssembly.Module): void {
    const imports: Record<string, WebAssembly.ModuleImports> = {};
    for (const { module: room, name, kind } of WebAssembly.Module.imports(module)) {
      imports[room] ??= {};
      imports[room][name] = kind === 'memory' ? this.memory : kind === 'table' ? this.table : () => 0;
    }
    for (const enter of Object.values(new WebAssembly.Instance(module, imports).exports)) {
      try {
        (enter as (depth: number) => number)(0);
      } catch {
        // It has got to something that is not there.
      }
    }
  }
}
