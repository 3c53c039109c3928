/** The default guests there are: which packages they are made of, and how their kernels like to be started. */

export interface GuestFlavour {
  /** `--guest=NAME`. */
  name: string;
  /** The package that depends on today's kernel package. */
  kernelMetapackage: string;
  /** What the kernel package itself is called, and an example for messages. */
  kernelPattern: RegExp;
  kernelExample: string;
  busyboxPackage: string;
}

export const FLAVOURS: readonly GuestFlavour[] = [
  {
    name: 'debian',
    kernelMetapackage: 'linux-image-686',
    kernelPattern: /^linux-image-[\d.]+-\d+-686$/,
    kernelExample: 'linux-image-6.1.0-…-686',
    busyboxPackage: 'busybox-static',
  },
  {
    name: 'debian-pae',
    kernelMetapackage: 'linux-image-686-pae',
    kernelPattern: /^linux-image-[\d.]+-\d+-686-pae$/,
    kernelExample: 'linux-image-6.1.0-…-686-pae',
    busyboxPackage: 'busybox-static',
  },
];

/**
 * What the kernel is told. It is quiet, because what it says is of interest only when something fails (--append=debug
 * makes it talk); it does not look for firmware, of which there is none; and it leaves
 * out what a virtual machine has no use for and that costs an emulated processor a second or more: self-tests of its
 * ciphers, the search for ISA cards, unpacking certificates, tracing, and the defences against speculation, which our
 * processor does not do. (It has no machine checks either, and the kernel would complain.)
 */
export const KERNEL_ARGUMENTS: readonly string[] = [
  'console=ttyS0',
  'quiet',
  'loglevel=3',
  'acpi=off',
  // A kernel that panics restarts, instead of standing still for ever.
  'panic=-1',
  'cryptomgr.notests=1',
  'noisapnp',
  'pnpbios=off',
  'nokaslr',
  'mitigations=off',
  // Programs and their libraries at the same addresses in every process: what was translated for one serves the next.
  // A guest that would rather hide them writes 2 to /proc/sys/kernel/randomize_va_space.
  'norandmaps',
  // With the clock of KVM, which our time stamp counter is behind, a 32-bit kernel needs a system call to tell the time.
  'clocksource=tsc',
  'tsc=reliable',
  `initcall_blacklist=${[
    ...['load_system_certificate_list', 'init_kprobe_trace', 'crypto_kdf108_init', 'isapnp_init', 'mcheck_init_device'],
    // Looking up every function that could be traced, the enumerations in the texts of all trace events, and the files
    // of the tracer.
    ...['ftrace_check_for_weak_functions', 'ftrace_check_sync', 'trace_eval_init', 'trace_eval_sync'],
    'tracer_init_tracefs',
  ].join()}`,
];
