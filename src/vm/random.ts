/** Random bytes for devices: the computer's own, or repeatable ones. */

/** A generator of repeatable bytes: xoshiro128** (Blackman and Vigna, 2018), seeded by splitmix32. */
export class SeededRandom {
  private readonly state = new Uint32Array(4);

  constructor(seed: number) {
    let x = seed >>> 0;
    for (let n = 0; n < 4; n++) {
      x = (x + 0x9e37_79b9) >>> 0;
      let z = Math.imul(x ^ (x >>> 16), 0x21f0_aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a_2d97);
      this.state[n] = z ^ (z >>> 15);
    }
  }

  bytes(length: number): Uint8Array {
    const result = new Uint8Array(length);
    for (let at = 0; at < length; at += 4) {
      const word = this.next();
      for (let n = 0; n < 4 && at + n < length; n++) result[at + n] = word >>> (8 * n);
    }
    return result;
  }

  private next(): number {
    const { state } = this;
    const [a, b, c, d] = state as unknown as [number, number, number, number];
    const product = Math.imul(b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9);
    state[2] = c ^ a;
    state[3] = d ^ b;
    state[1] = b ^ state[2]!;
    state[0] = a ^ state[3]!;
    state[2]! ^= b << 9;
    state[3] = (state[3]! << 11) | (state[3]! >>> 21);
    return result >>> 0;
  }

  save(): Uint32Array {
    return this.state.slice();
  }
  load(state: Uint32Array): void {
    this.state.set(state);
  }
}
