/** No linear page, or more than are remembered. */
const NONE = -1;
const MANY = -2;

/**
 * Which linear pages a guest page may be written through: by guest page, the numbers of the first two that have got a
 * write entry since the page was protected last. Two are what pages usually have, a program's and the kernel's own.
 */
export class WriteMappings {
  private readonly first: Int32Array;
  private readonly second: Int32Array;

  /** `pages`: guest pages. */
  constructor(pages: number) {
    this.first = new Int32Array(pages).fill(NONE);
    this.second = new Int32Array(pages).fill(NONE);
  }

  add(gpaPage: number, linearPage: number): void {
    const { first, second } = this;
    const [one, other] = [first[gpaPage]!, second[gpaPage]!];
    if (one === linearPage || other === linearPage || other === MANY) return;
    if (one === NONE) first[gpaPage] = linearPage;
    else second[gpaPage] = other === NONE ? linearPage : MANY;
  }

  /** Forgets the mappings of a page: calls `visit` with each, or returns false if they are more than it knows. */
  take(gpaPage: number, visit: (linearPage: number) => void): boolean {
    const { first, second } = this;
    const [one, other] = [first[gpaPage]!, second[gpaPage]!];
    first[gpaPage] = NONE;
    second[gpaPage] = NONE;
    if (other === MANY) return false;
    if (one !== NONE) visit(one);
    if (other !== NONE) visit(other);
    return true;
  }

  clear(): void {
    this.first.fill(NONE);
    this.second.fill(NONE);
  }
}
