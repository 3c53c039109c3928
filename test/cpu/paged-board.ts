import assert from 'node:assert/strict';
import type { Walk } from '../../src/cpu/board.js';
import type { GuestMemory } from '../../src/memory/guest-memory.js';
import { PageWalker, PAGING } from '../../src/memory/page-walk.js';
import { BareBoard } from './machine-code.js';

/** A board whose guest has page tables of two levels, with the directory at `directory`. */
export class PagedBoard extends BareBoard {
  private readonly walker: PageWalker;

  constructor(memory: GuestMemory, directory: number) {
    super(memory.size);
    this.walker = new PageWalker(memory, {
      ...{ strict: false, accessedInDirectories: true, flatUser: true },
      refuse: () => assert.fail('nothing is refused'),
      flat: (linear) => linear,
    });
    this.walker.mode = PAGING.twoLevel;
    this.walker.root = directory;
  }
  override walk(linear: number, access: number): Walk {
    return this.walker.walk(linear, access);
  }
}
