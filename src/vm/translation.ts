import type { Processor } from '../cpu/processor.js';
import {
  DEFAULT_OPTIONS,
  RegionTranslator,
  type TranslatorObserver,
  type TranslatorOptions,
  type TranslatorStatistics,
} from '../jit/index.js';
import type { BackgroundMaker } from './background-maker.js';
import { MEGABYTE, type TortureOptions } from './options.js';

const QUARTER_SECOND_NS = 250_000_000;
/** A guest that runs for a smaller part of the time does next to nothing; how far it gets in it does not matter. */
const IDLE_SHARE = 0.1;

export interface TranslationOptions {
  /** Memory that translated code may take, megabytes. */
  memoryMegabytes: number | undefined;
  /** Compiles in between turns; only where nobody counts on the same speed in every run. */
  asynchronous: boolean;
  torture: TortureOptions;
  /** Makes modules in another thread, if need be; undefined: there is none. */
  background: BackgroundMaker | undefined;
  monotonicNs: () => number;
  observer?: TranslatorObserver;
}

/** Joins a processor and a translator, and sees to what tests want of the two. */
export class Translation {
  private translator!: RegionTranslator;
  private readonly dropEvery: number;
  private droppedAt = 0;
  /** When was last looked whether the guest is idle, and how long it has run since. */
  private lookedAtNs = 0;
  private busyNs = 0;
  private turnStartNs = 0;

  constructor(
    private readonly cpu: Processor,
    private readonly options: TranslationOptions,
  ) {
    const { torture, monotonicNs, memoryMegabytes, background } = options;
    const changes: Partial<TranslatorOptions> = {
      synchronous: !options.asynchronous,
      now: () => monotonicNs() / 1e6,
    };
    if (options.observer !== undefined) changes.observer = options.observer;
    if (memoryMegabytes !== undefined) changes.memoryBytes = memoryMegabytes * MEGABYTE;
    if (torture.translateAfter !== undefined)
      Object.assign(changes, { threshold: torture.translateAfter, sparing: false, synchronous: true });
    if (torture.translateAtOnce === true)
      Object.assign(changes, { threshold: 1, batch: 1, onlyWhatRan: false, sparing: false, synchronous: true });
    if (torture.oneInstructionRegions === true) changes.instructions = 1;
    if (changes.synchronous === false && background) changes.maker = (...given) => background.makerFor(...given);
    cpu.exactBudgets = !options.asynchronous;
    cpu.attachTranslator((host) => (this.translator = new RegionTranslator(host, { ...DEFAULT_OPTIONS, ...changes })));
    this.dropEvery = torture.dropTranslationsEvery ?? 0;
  }

  /** Before each turn. */
  beforeTurn(retired: number): void {
    this.turnStartNs = this.options.monotonicNs();
    if (this.options.asynchronous) this.coolDown(this.turnStartNs);
    if (this.dropEvery > 0 && retired - this.droppedAt >= this.dropEvery) {
      this.droppedAt = retired;
      this.translator.drop();
    } else this.translator.betweenTurns();
  }

  afterTurn(): void {
    this.busyNs += this.options.monotonicNs() - this.turnStartNs;
  }

  /**
   * The ticks of an idle guest would in time make all their code hot, and translating it would cost this computer more
   * than the ticks do. So blocks that are to be hot in an idle guest have to become so within a quarter of a second.
   */
  private coolDown(now: number): void {
    const elapsed = now - this.lookedAtNs;
    if (elapsed < QUARTER_SECOND_NS) return;
    if (this.busyNs < IDLE_SHARE * elapsed) this.cpu.forgetHeat();
    this.lookedAtNs = now;
    this.busyNs = 0;
  }

  /** Milliseconds in which the guest could not run because of translating, so far. */
  get guestMilliseconds(): number {
    return this.translator.guestMilliseconds;
  }

  /** How often translated code has been left because the budget was spent. */
  get budgetLeaves(): number {
    return this.translator.budgetLeaves;
  }

  get statistics(): TranslatorStatistics {
    return this.translator.statistics();
  }
}
