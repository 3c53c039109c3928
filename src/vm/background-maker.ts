import type { Made, Maker, MakerSetup } from '../jit/index.js';
import type { HelperThread } from '../platform/helper-thread.js';
import type { Platform } from '../platform/platform.js';

/** Requests that wait, with which no more should be made: a guest could make them faster than they are answered. */
const MOST_WAITING = 16;

type Done = (made: Made | undefined) => void;

/**
 * A virtual machine's thread for making WebAssembly, which would take a tenth to a fourth of the guest's time. Where
 * there is none, or when it fails, that is done in the guest's thread, and nobody is told: it is only slower.
 */
export class BackgroundMaker {
  private thread: HelperThread | undefined;
  /** Of requests that the thread has not answered yet, in their order. */
  private waiting: Done[] = [];
  private setup: MakerSetup | undefined;

  constructor(private readonly platform: Platform) {}

  /** Starts the thread: the machine is about to run. */
  start(): void {
    try {
      this.thread = this.platform.startMakerThread?.({
        message: (made) => this.waiting.shift()?.(made as Made),
        failed: () => this.fail(),
      });
    } catch {
      // A policy forbids threads, or there are too many.
    }
    if (this.setup) this.post({ setup: this.setup });
  }

  /** For one life of the machine. `local` makes what makes modules in this thread. */
  makerFor(setup: MakerSetup, local: () => Maker): Maker {
    this.setup = setup;
    this.post({ setup });
    let here: Maker | undefined;
    const pending = (): number => this.waiting.length;
    return {
      get idle() {
        return pending() === 0;
      },
      get isBehind() {
        return pending() >= MOST_WAITING;
      },
      make: (request, done) => {
        if (this.thread) {
          this.waiting.push(done);
          this.post({ request }, [request.buffer]);
        } else {
          here ??= local();
          here.make(request, done);
        }
      },
    };
  }

  /** Ends the thread. What is under way is lost, and whoever waits for it is told. */
  end(): void {
    this.thread?.end();
    this.fail();
  }

  private post(message: unknown, transfer: readonly ArrayBuffer[] = []): void {
    try {
      this.thread?.post(message, transfer);
    } catch {
      this.end();
    }
  }

  private fail(): void {
    const { waiting } = this;
    this.thread = undefined;
    this.waiting = [];
    for (const done of waiting) done(undefined);
  }
}
