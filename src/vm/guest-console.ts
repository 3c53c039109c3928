/*L:180
 * Talking to the guest's init
 *
 * The default guest's first program (guest/init) waits on a port of the console to be told what to do, and reports
 * there what became of it. One line each way, in words that can be read:
 *
 *     guest  size ROWS COLUMNS       what I have understood of the terminal's size
 *            ready 1                 here I am, and this is the version of the talk
 *     host   shell BYTES             a shell on the console; or
 *            run BYTES               one command, with streams of its own
 *            (BYTES of shell text)   environment, and the command's words as positional parameters
 *     guest  exit STATUS             it has ended; power-off follows
 *
 * Nothing but this port decides over the exit status of `lguest run`, so a guest can get wrong only its own.
 */
import { ConsolePortsDevice, type TerminalSize } from '../virtio/console-ports.js';
import { InputQueue } from './input-queue.js';

/** What the guest is to do once it is up. */
export interface GuestTask {
  /** One command, in words; undefined or empty: a shell on the console. */
  command?: readonly string[];
  /** Added to the environment of the command or shell. */
  environment?: Readonly<Record<string, string>>;
}
/*:*/

export interface GuestConsoleOptions {
  task: GuestTask;
  size?: TerminalSize | undefined;
  /** Output of the console, and of the command; the arrays are the receiver's own. */
  output(bytes: Uint8Array): void;
  stdout(bytes: Uint8Array): void;
  stderr(bytes: Uint8Array): void;
  /** Console and command have room for input again. */
  inputWanted(): void;
  stdinWanted(): void;
  /** The guest is up and about to do its task. */
  ready(): void;
  /** The task has ended. */
  exited(status: number): void;
}

/** Ports by number; the control port comes last, so that all others are there when the guest finds it. */
const CONSOLE = 0;
const STDIN = 1;
const CONTROL = 4;
/** No line of the guest's is longer. */
const LONGEST_LINE = 256;

interface GuestConsoleState {
  version: 1;
  ports: unknown;
  line: string;
  request: Uint8Array[];
}

/** The console of a guest whose init is ours. */
export class GuestConsole extends ConsolePortsDevice {
  private readonly task: GuestConsoleOptions;
  private readonly request: InputQueue;
  /** What the guest has said since the last line end. */
  private line = '';

  constructor(options: GuestConsoleOptions) {
    const ignore = (): void => {};
    super(
      [
        { output: options.output, inputWanted: options.inputWanted },
        { name: 'lguest.stdin', output: ignore, inputWanted: options.stdinWanted },
        { name: 'lguest.stdout', output: options.stdout },
        { name: 'lguest.stderr', output: options.stderr },
        {
          name: 'lguest.control',
          output: (bytes) => this.takeControl(bytes),
          inputWanted: () => this.request.drain(),
        },
      ],
      options.size,
    );
    this.task = options;
    this.request = new InputQueue((bytes) => this.sendInput(CONTROL, bytes), ignore);
  }

  /** Offers console input; returns how many bytes were taken. */
  sendConsoleInput(bytes: Uint8Array): number {
    return this.sendInput(CONSOLE, bytes);
  }

  /** Offers input of the command; returns how many bytes were taken. */
  sendStdin(bytes: Uint8Array): number {
    return this.sendInput(STDIN, bytes);
  }

  endStdin(): void {
    this.endInput(STDIN);
  }

  override save(): any {
    return { version: 1, ports: super.save(), line: this.line, request: this.request.save() };
  }

  override load(state: unknown): void {
    const { ports, line, request } = state as GuestConsoleState;
    super.load(ports);
    this.line = line;
    this.request.load(request);
  }

  private takeControl(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (byte === 0x0a) {
        this.understand(this.line);
        this.line = '';
      } else if (this.line.length < LONGEST_LINE) {
        this.line += String.fromCharCode(byte);
      }
    }
  }

  /** A line of the guest's; what we do not know may be from a newer one. */
  private understand(line: string): void {
    const exit = /^exit (\d{1,3})$/.exec(line);
    if (exit !== null) this.task.exited(Number(exit[1]) & 0xff);
    const size = /^size (\d{1,5}) (\d{1,5})$/.exec(line);
    if (size !== null) this.checkSizeOrder(Number(size[1]), Number(size[2]));
    if (line !== 'ready 1') return;
    this.task.ready();
    this.request.push(renderRequest(this.task.task));
  }
}

/** The request as the guest reads it. */
export function renderRequest({ command = [], environment = {} }: GuestTask): Uint8Array {
  const encoder = new TextEncoder();
  const lines = Object.entries(environment)
    .filter(([name]) => /^[A-Za-z_]\w*$/.test(name))
    .map(([name, value]) => `export ${name}=${quote(value)}\n`);
  if (command.length > 0) lines.push(`set -- ${command.map(quote).join(' ')}\n`);
  const script = encoder.encode(lines.join(''));
  const head = encoder.encode(`${command.length > 0 ? 'run' : 'shell'} ${script.length}\n`);
  const request = new Uint8Array(head.length + script.length);
  request.set(head);
  request.set(script, head.length);
  return request;
}

/** `word` for a shell, whatever is in it. */
function quote(word: string): string {
  return `'${word.replaceAll('\0', '').replaceAll("'", "'\\''")}'`;
}
