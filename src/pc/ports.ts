/** The port space: 65,536 bytes, most of which nothing listens to. */

/** A chip with port registers. `port` is the absolute address. */
export interface PortDevice {
  /** `size` is 1, unless the device was added as wide: then 1, 2 or 4. Unsigned result. */
  readPort(port: number, size: number): number;
  writePort(port: number, size: number, value: number): void;
}

interface Listener {
  readonly device: PortDevice;
  readonly wide: boolean;
}

/** What a read gives where nothing listens. */
export function allOnes(size: number): number {
  return 2 ** (8 * size) - 1;
}

export class PortSpace {
  private readonly listeners = new Map<number, Listener>();

  /** `device` answers at `count` ports from `first` on. Devices that are not wide see single bytes only. */
  add(first: number, count: number, device: PortDevice, wide = false): void {
    for (let port = first; port < first + count; port++) this.listeners.set(port, { device, wide });
  }

  /** Unsigned. */
  read(port: number, size: number): number {
    const listener = this.listeners.get(port);
    if (listener !== undefined && (size === 1 || listener.wide)) return listener.device.readPort(port, size);
    if (size === 1) return 0xff;
    let value = 0;
    for (let n = size - 1; n >= 0; n--) value = value * 256 + this.read((port + n) & 0xffff, 1);
    return value;
  }

  write(port: number, size: number, value: number): void {
    const listener = this.listeners.get(port);
    if (listener !== undefined && (size === 1 || listener.wide)) listener.device.writePort(port, size, value);
    else if (size > 1) for (let n = 0; n < size; n++) this.write((port + n) & 0xffff, 1, (value >>> (8 * n)) & 0xff);
  }
}
