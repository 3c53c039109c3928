/*D:132
 * The console with many ports
 *
 * A console is for people: one stream each way, in which everything is mixed. A program that runs a command in the
 * guest wants its output and its errors apart, wants to say "that was all the input", and wants to learn the exit
 * status. For this a virtio console can have ports beside the console proper: streams with names, which the guest
 * sees as /dev/vport0p1 and so on (virtio 1.0, 5.3.6.2). A pair of queues of its own carries the talk about them:
 *
 *     guest: I am ready                 host: here is port 1
 *     guest: port 1 is ready            host: its name is "lguest.stdin"; our end is open
 *     guest: my end is open, too        (bytes)
 *                                       host: our end is closed            which the guest reads as end of file
 *
 * Queues: 0 and 1 are port 0, to the guest and from it; 2 and 3 the talk; then a pair for each further port.
 */
import type { DevicePort, VirtioDevice } from './device.js';
import type { Virtqueue } from './queue.js';
/*:*/

/** Feature bits (virtio 1.0, 5.3.3). */
const F_SIZE = 1n << 0n;
const F_MULTIPORT = 1n << 1n;

const CONTROL_INPUT = 2;
const CONTROL_OUTPUT = 3;

/** Messages (virtio 1.0, 5.3.6.2): {port u32, event u16, value u16}, for some followed by data. */
const MESSAGE_BYTES = 8;
const DEVICE_READY = 0;
const PORT_ADD = 1;
const PORT_READY = 3;
const CONSOLE_PORT = 4;
const RESIZE = 5;
const PORT_OPEN = 6;
const PORT_NAME = 7;

/** Most bytes one kick may write to a port, as for the simple console. */
const MAXIMUM_OUTPUT_PER_KICK = 0x100_0000;
const DEFAULT_BACKLOG = 0x1_0000;
/** No driver sends longer messages, and none leaves so many of ours lying. */
const LONGEST_MESSAGE = 64;
const MOST_MESSAGES = 1024;

export interface PortOptions {
  /** What the guest finds in /sys/class/virtio-ports; undefined: a console (hvc0, …). */
  name?: string;
  /** Takes what the guest writes, at once and in order; the array is the sink's own. */
  output(bytes: Uint8Array): void;
  /** The backlog was full and now has room again: send more. */
  inputWanted?(): void;
}

export interface TerminalSize {
  /** Characters, 1…65535. */
  columns: number;
  rows: number;
}

interface PortState {
  /** Input the guest has not taken yet. */
  backlog: Uint8Array;
  /** No more input will come. */
  ended: boolean;
  /** The guest has said that it knows the port. */
  ready: boolean;
  /** The guest has it open. Only then does it keep what it is sent. */
  open: boolean;
  /** The guest has been told of the end. */
  endTold: boolean;
}

export interface ConsolePortsState {
  version: 1;
  size: TerminalSize | undefined;
  rowsFirst: boolean;
  ports: PortState[];
  /** Messages for which the guest has posted no buffer yet. */
  messages: Uint8Array[];
}

interface Port extends PortState {
  options: PortOptions;
  refused: boolean;
}

export class ConsolePortsDevice implements VirtioDevice {
  readonly type = 3;
  readonly name = 'console';
  readonly queueCount: number;
  readonly features = F_SIZE | F_MULTIPORT;
  readonly config: Uint8Array;
  private readonly ports: Port[];
  private readonly capacity: number;
  private terminalSize: TerminalSize | undefined;
  /** The guest reads sizes the other way round. */
  private rowsFirst = false;
  private messages: Uint8Array[] = [];
  private transport: DevicePort | undefined;

  /** Port 0 has to be a console, because to a guest that does not know ports it is one. */
  constructor(ports: readonly PortOptions[], size?: TerminalSize, backlogBytes = DEFAULT_BACKLOG) {
    this.ports = ports.map((options) => ({ options, refused: false, ended: false, ...closedPort() }));
    this.capacity = backlogBytes;
    this.terminalSize = size;
    this.queueCount = 2 + 2 * ports.length;
    // cols u16, rows u16, max_nr_ports u32, emerg_wr u32 (5.3.4).
    this.config = new Uint8Array(12);
    const view = new DataView(this.config.buffer);
    view.setUint16(0, size?.columns ?? 0, true);
    view.setUint16(2, size?.rows ?? 0, true);
    view.setUint32(4, ports.length, true);
  }

  attach(port: DevicePort): void {
    this.transport = port;
  }

  /**
   * Offers input for a port; returns how many bytes were taken. For the rest, wait for `inputWanted`. Throws what the
   * transport's `fatal` throws if the guest's queue is broken.
   */
  sendInput(index: number, bytes: Uint8Array): number {
    const port = this.ports[index]!;
    const taken = Math.min(bytes.length, this.capacity - port.backlog.length);
    if (taken < bytes.length) port.refused = true;
    if (taken > 0) {
      const joined = new Uint8Array(port.backlog.length + taken);
      joined.set(port.backlog);
      joined.set(bytes.subarray(0, taken), port.backlog.length);
      port.backlog = joined;
      this.deliverInput(index);
    }
    return taken;
  }

  /** No more input for this port: the guest reads end of file once it has read the rest. */
  endInput(index: number): void {
    this.ports[index]!.ended = true;
    this.deliverInput(index);
  }

  /** The terminal around port 0 has another size now. */
  resize(size: TerminalSize): void {
    this.terminalSize = size;
    if (this.ports[0]!.ready) {
      this.sendSize();
      this.deliverMessages();
    }
  }

  queueNotified(index: number): void {
    if (index === CONTROL_INPUT) this.deliverMessages();
    else if (index === CONTROL_OUTPUT) this.takeMessages();
    else if (index % 2 === 1) this.takeOutput(portOfQueue(index));
    else this.deliverInput(portOfQueue(index));
  }

  /** What was typed stays, and an end of input, too: they are meant for whichever driver comes next. */
  reset(): void {
    this.messages = [];
    for (const port of this.ports) Object.assign(port, { ...closedPort(), backlog: port.backlog });
  }

  save(): ConsolePortsState {
    return {
      version: 1,
      size: this.terminalSize,
      rowsFirst: this.rowsFirst,
      ports: this.ports.map(({ backlog, ended, ready, open, endTold }) => ({
        backlog: backlog.slice(),
        ended,
        ready,
        open,
        endTold,
      })),
      messages: this.messages.map((message) => message.slice()),
    };
  }

  load(state: unknown): void {
    const { size, rowsFirst, ports, messages } = state as ConsolePortsState;
    this.terminalSize = size;
    this.rowsFirst = rowsFirst;
    this.ports.forEach((port, index) => {
      Object.assign(port, { ...ports[index]!, backlog: ports[index]!.backlog.slice(), refused: false });
    });
    this.messages = messages.map((message) => message.slice());
  }

  private takeOutput(index: number): void {
    const { transport, queue } = this.openQueue(outputQueue(index));
    let left = MAXIMUM_OUTPUT_PER_KICK;
    let served = false;
    for (const chain of queue.pending()) {
      if (chain.writable.length > 0) transport.fatal('Input buffers in console output queue?');
      left -= chain.readableBytes;
      if (left < 0) transport.fatal('Console output is larger than 16 MB at once');
      if (chain.readableBytes > 0) this.ports[index]!.options.output(chain.read());
      queue.complete(chain, 0);
      served = true;
    }
    if (served) queue.notifyGuest();
  }

  private deliverInput(index: number): void {
    const port = this.ports[index]!;
    // A guest that does not know ports has the console open all the time. Linux throws away what comes for a port
    // that nobody has opened.
    if (!port.open && !(index === 0 && !this.usesPorts())) return;
    if (port.backlog.length > 0) this.fillBuffers(index, port);
    if (port.ended && port.backlog.length === 0 && !port.endTold && this.usesPorts() && index > 0) {
      port.endTold = true;
      this.send(index, PORT_OPEN, 0);
      this.deliverMessages();
    }
    if (port.refused && port.backlog.length <= this.capacity / 2) {
      port.refused = false;
      port.options.inputWanted?.();
    }
  }

  private fillBuffers(index: number, port: Port): void {
    const { transport, queue } = this.openQueue(inputQueue(index));
    let served = false;
    for (const chain of queue.pending()) {
      if (chain.readable.length > 0) transport.fatal('Output buffers in console in queue?');
      const written = chain.write(port.backlog);
      port.backlog = port.backlog.slice(written);
      queue.complete(chain, written);
      served = true;
      if (port.backlog.length === 0) break;
    }
    if (served) queue.notifyGuest();
  }

  private takeMessages(): void {
    const { transport, queue } = this.openQueue(CONTROL_OUTPUT);
    let served = false;
    for (const chain of queue.pending()) {
      if (chain.writable.length > 0) transport.fatal('Input buffers in console control queue?');
      if (chain.readableBytes < MESSAGE_BYTES || chain.readableBytes > LONGEST_MESSAGE) {
        transport.fatal(`Console control message of ${chain.readableBytes} bytes`);
      }
      const message = chain.read();
      queue.complete(chain, 0);
      served = true;
      const view = new DataView(message.buffer, message.byteOffset, message.length);
      this.handle(view.getUint32(0, true), view.getUint16(4, true), view.getUint16(6, true));
    }
    if (served) queue.notifyGuest();
    this.deliverMessages();
  }

  /** The guest's side of the talk. What we do not know, we pass over, as the standard wants. */
  private handle(id: number, event: number, value: number): void {
    if (event === DEVICE_READY) {
      if (value === 1) for (let index = 0; index < this.ports.length; index++) this.send(index, PORT_ADD, 1);
      return;
    }
    const port = this.ports[id];
    if (port === undefined) {
      this.transport?.warn(`the guest speaks of console port ${id}, which does not exist`);
      return;
    }
    if (event === PORT_READY) {
      port.ready = value === 1;
      if (port.ready) this.introduce(id, port);
    } else if (event === PORT_OPEN) {
      port.open = value === 1;
      this.deliverInput(id);
    }
  }

  private introduce(id: number, port: Port): void {
    const { name } = port.options;
    if (name === undefined) {
      this.send(id, CONSOLE_PORT, 1);
      if (id === 0) this.sendSize();
    } else {
      // The name first: when the guest sees it, the port is complete.
      this.send(id, PORT_OPEN, 1);
      this.send(id, PORT_NAME, 1, new TextEncoder().encode(name));
    }
    port.endTold = false;
  }

  /**
   * The standard says columns, rows (virtio 1.0, 5.3.6.2). Linux read rows, columns until that was corrected in 2025,
   * also in its older releases (drivers/char/virtio_console.c, VIRTIO_CONSOLE_RESIZE).
   */
  private sendSize(): void {
    if (this.terminalSize === undefined) return;
    const { columns, rows } = this.terminalSize;
    const [first, second] = this.rowsFirst ? [rows, columns] : [columns, rows];
    // Of sizes that nobody has read yet only the last one counts.
    this.messages = this.messages.filter((message) => message[4] !== RESIZE);
    this.send(0, RESIZE, 1, Uint8Array.of(first & 0xff, first >>> 8, second & 0xff, second >>> 8));
  }

  /** The guest has found its terminal to be of this size: if rows and columns are exchanged, it is an old Linux. */
  checkSizeOrder(rows: number, columns: number): void {
    const size = this.terminalSize;
    if (size === undefined || size.rows === size.columns) return;
    if (rows !== size.columns || columns !== size.rows) return;
    this.rowsFirst = !this.rowsFirst;
    this.resize(size);
  }

  private send(id: number, event: number, value: number, data: Uint8Array = new Uint8Array(0)): void {
    const message = new Uint8Array(MESSAGE_BYTES + data.length);
    const view = new DataView(message.buffer);
    view.setUint32(0, id, true);
    view.setUint16(4, event, true);
    view.setUint16(6, value, true);
    message.set(data, MESSAGE_BYTES);
    this.messages.push(message);
    if (this.messages.length > MOST_MESSAGES) this.transport?.fatal('Console control messages are not read');
  }

  private deliverMessages(): void {
    if (this.messages.length === 0) return;
    const { transport, queue } = this.openQueue(CONTROL_INPUT);
    let served = false;
    for (const chain of queue.pending()) {
      const message = this.messages.shift()!;
      if (chain.readable.length > 0) transport.fatal('Output buffers in console control in queue?');
      if (chain.writableBytes < message.length) transport.fatal('Console control buffer is too small');
      queue.complete(chain, chain.write(message));
      served = true;
      if (this.messages.length === 0) break;
    }
    if (served) queue.notifyGuest();
  }

  private usesPorts(): boolean {
    return ((this.transport?.acceptedFeatures() ?? 0n) & F_MULTIPORT) !== 0n;
  }

  private openQueue(index: number): { transport: DevicePort; queue: Virtqueue } {
    const { transport } = this;
    const queue = transport?.queues[index];
    if (transport === undefined || queue === undefined) throw new Error('console is not attached to a transport');
    return { transport, queue };
  }
}

function closedPort(): Omit<PortState, 'ended'> {
  return { backlog: new Uint8Array(0), ready: false, open: false, endTold: false };
}

function inputQueue(port: number): number {
  return port === 0 ? 0 : 2 + 2 * port;
}

function outputQueue(port: number): number {
  return inputQueue(port) + 1;
}

function portOfQueue(queue: number): number {
  return queue < 2 ? 0 : (queue - 2) >>> 1;
}
