/*L:300
 * The console
 *
 * Whatever is typed belongs to the guest, Ctrl-C included: it is the guest's shell that has to stop its program. So
 * how does one end lguest itself? By the original's trick, three Ctrl-C within a second, and by Ctrl-], which telnet
 * users know: it opens a small menu. Both exist only for people. Bytes from a pipe or a file pass untouched, except
 * that a pipe, too, ends lguest with three lone Ctrl-C, as it did in the original.
 */

const CTRL_C = 0x03;
export const CTRL_BRACKET = 0x1d;

/** Three of them within this time end the machine. */
const CTRL_C_WINDOW_NS = 1_000_000_000;
const CTRL_C_COUNT = 3;

export type MenuCommand = 'end' | 'reset' | 'stats' | 'trace' | 'unknown';

export const MENU_TEXT =
  'lguest: e end, r reset, s statistics, t trace on/off, ] sends Ctrl-], any other key: back to the guest\n';

const MENU: Record<string, MenuCommand> = { e: 'end', q: 'end', r: 'reset', s: 'stats', t: 'trace' };

export interface KeyActions {
  /** These bytes are the guest's. */
  send(bytes: Uint8Array): void;
  /** Three Ctrl-C. */
  interrupt(): void;
  /** Ctrl-] was pressed: show the menu. */
  openMenu(): void;
  choose(command: MenuCommand): void;
}

/** Divides what comes from standard input between the guest and us. */
export class KeyFilter {
  private readonly kind: 'terminal' | 'pipe' | 'file';
  private readonly actions: KeyActions;
  private readonly nowNs: () => number;
  /** Times of the Ctrl-C that came one after the other, the last two of them. */
  private ctrlCs: number[] = [];
  private menuOpen = false;

  constructor(kind: 'terminal' | 'pipe' | 'file', actions: KeyActions, nowNs: () => number) {
    this.kind = kind;
    this.actions = actions;
    this.nowNs = nowNs;
  }

  /** A piece of input, as it was read. */
  take(bytes: Uint8Array): void {
    if (this.kind === 'file') this.actions.send(bytes);
    else if (this.kind === 'pipe') this.takeFromPipe(bytes);
    else this.takeKeys(bytes);
  }

  /** A Ctrl-C counts if it came alone, which in a stream of data it hardly ever does. */
  private takeFromPipe(bytes: Uint8Array): void {
    this.actions.send(bytes);
    if (bytes.length === 1) this.countCtrlC(bytes[0]!);
    else this.ctrlCs = [];
  }

  /** Keys may come several at a time, e.g. while a key repeats or from a paste. */
  private takeKeys(bytes: Uint8Array): void {
    let start = 0;
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]!;
      if (this.menuOpen) {
        this.menuOpen = false;
        start = at + 1;
        if (byte === CTRL_BRACKET || byte === 0x5d) this.actions.send(Uint8Array.of(CTRL_BRACKET));
        else this.actions.choose(MENU[String.fromCharCode(byte)] ?? 'unknown');
      } else if (byte === CTRL_BRACKET) {
        if (at > start) this.actions.send(bytes.subarray(start, at));
        start = at + 1;
        this.menuOpen = true;
        this.ctrlCs = [];
        this.actions.openMenu();
      } else {
        this.countCtrlC(byte);
      }
    }
    if (start < bytes.length) this.actions.send(bytes.subarray(start));
  }

  private countCtrlC(byte: number): void {
    if (byte !== CTRL_C) {
      this.ctrlCs = [];
      return;
    }
    const now = this.nowNs();
    this.ctrlCs = [...this.ctrlCs.filter((time) => now - time <= CTRL_C_WINDOW_NS), now];
    if (this.ctrlCs.length < CTRL_C_COUNT) return;
    this.ctrlCs = [];
    this.actions.interrupt();
  }
}
