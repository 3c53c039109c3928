import { check, userCheck } from './check.js';

/**
 * Exceptions, gates of the interrupt table, flags, debug registers. Alignment checks, general detect and reserved bits
 * of CR4 are not here: qemu's translator does not have them.
 */
export const INTERRUPT_CHECKS = [
  check('divide by zero', 'xor ecx, ecx\n mov eax, 5\n cdq\n div ecx'),
  check('INT 0x20', 'int 0x20'),
  check('INT beyond the table', 'int 0x80'),
  check('INT through an absent gate', 'mov byte [idt + 0x21 * 8 + 5], 0x0E\n int 0x21'),
  check('INT through no gate', 'mov byte [idt + 0x22 * 8 + 5], 0x8A\n int 0x22'),
  check('INT to a null selector', 'mov word [idt + 0x23 * 8 + 2], 0\n int 0x23'),
  check('INT to data', 'mov word [idt + 0x24 * 8 + 2], DATA0\n int 0x24'),
  check('INT to ring 3 code', 'mov word [idt + 0x25 * 8 + 2], CODE3\n int 0x25'),
  check('interrupt gate clears IF', 'sti\n int 0x26\n'),
  check(
    'IF in the two kinds of gate',
    `mov dword [idt + 0x27 * 8], CODE0 * 65536 + (%%see & 0xFFFF)
    mov dword [idt + 0x27 * 8 + 4], (%%see & 0xFFFF0000) + 0x8E00
    mov dword [idt + 0x28 * 8], CODE0 * 65536 + (%%see & 0xFFFF)
    mov dword [idt + 0x28 * 8 + 4], (%%see & 0xFFFF0000) + 0x8F00
    sti
    int 0x27
    sti
    int 0x28
    cli
    jmp %%out
%%see:
    pushf
    pop eax
    and eax, FLAGS_SHOWN
    call value
    iret
%%out:`,
  ),
  check('INTO', 'mov al, 0x7F\n add al, 1\n into'),
  check('INTO without overflow', 'xor eax, eax\n into'),
  check('BOUND', 'mov dword [scratch], 1\n mov dword [scratch + 4], 5\n mov eax, 6\n bound eax, [scratch]'),
  check('UD2', 'ud2'),
  check('no such opcode', 'db 0x0F, 0xFF, 0xC0'),
  check('LOCK without memory', 'db 0xF0, 0x01, 0xC0'),
  check('x87 with TS', 'mov eax, cr0\n or eax, 8\n mov cr0, eax\n fld1'),
  check('x87 with EM', 'mov eax, cr0\n or eax, 4\n mov cr0, eax\n fld1'),
  check('EM off', 'mov eax, cr0\n and eax, 0xFFFFFFFB\n mov cr0, eax\n smsw eax\n and eax, 15\n call value'),
  check('LMSW cannot leave protected mode', 'xor eax, eax\n lmsw ax\n smsw eax\n and eax, 15\n call value'),
  check('single step', 'pushf\n or dword [esp], 0x100\n popf\n nop\n nop'),
  check('DR6 after a single step', 'mov eax, dr6\n and eax, 0xE00F\n call value\n xor eax, eax\n mov dr6, eax'),
  check('single step over POP SS', 'push ss\n pushf\n or dword [esp], 0x100\n popf\n pop ss\n nop\n nop'),
  check('DR0 to DR3', 'mov eax, 0x12345678\n mov dr3, eax\n xor eax, eax\n mov eax, dr3\n call value'),
  check(
    'ring 0 flags by POPF',
    'push dword 0x3002\n popf\n pushf\n pop eax\n and eax, FLAGS_SHOWN\n call value\n push dword 2\n popf',
  ),
  check(
    'alignment is not checked in ring 0',
    `mov eax, cr0
    or eax, 0x40000
    mov cr0, eax
    push dword 0x40002
    popf
    mov eax, [scratch + 1]
    push dword 2
    popf`,
  ),
  check('RDTSC with TSD in ring 0', 'mov eax, 4\n mov cr4, eax\n rdtsc'),
  userCheck('ring 3: RDTSC with TSD', 'rdtsc'),
  check('TSD off', 'xor eax, eax\n mov cr4, eax'),
  userCheck('ring 3: RDTSC', 'rdtsc'),
  check('SYSENTER without a segment', 'mov ecx, 0x174\n xor eax, eax\n xor edx, edx\n wrmsr\n sysenter'),
  check(
    'SYSENTER and SYSEXIT',
    `mov ecx, 0x174
    mov eax, CODE0
    xor edx, edx
    wrmsr
    inc ecx
    mov eax, other_stack_top
    wrmsr
    inc ecx
    mov eax, %%entered
    wrmsr
    mov ecx, user_stack_top
    mov edx, %%user
    sysexit
%%user:
    mov eax, cs
    mov ebx, ss
    mov esi, esp
    sysenter
%%entered:
    call value
    mov eax, ebx
    call value
    mov eax, esi
    call value
    mov eax, cs
    call value
    mov eax, ss
    call value
    mov eax, esp
    call value
    mov esp, [saved_esp]`,
  ),
  check(
    'double fault',
    `mov byte [idt + 13 * 8 + 5], 0x0E       ; no gate for #GP, and what that causes has none either
    mov byte [idt + 11 * 8 + 5], 0x0E
    xor eax, eax
    mov ss, ax`,
  ),
  check('gates back', 'mov byte [idt + 13 * 8 + 5], 0x8E\n mov byte [idt + 11 * 8 + 5], 0x8E'),
  check('virtual-8086: HLT', virtual8086('0xF4', 0x20002)),
  check('virtual-8086: INT with IOPL 0', virtual8086('0xCD, 0x20', 0x20002)),
  check('virtual-8086: INT with IOPL 3', virtual8086('0xCD, 0x30', 0x23002)),
  check('virtual-8086: CLI with IOPL 0', virtual8086('0xFA', 0x20002)),
  check('virtual-8086: segments', virtual8086('0x8C, 0xD8, 0x8E, 0xC0, 0x26, 0xA1, 0x10, 0x00, 0x0F, 0x0B', 0x20002)),
  check('interrupt behind STI', `${arm('sti')}`),
  check('HLT wakes up', `${pit()}\n sti\n hlt\n nop`),
];

/** Enters virtual-8086 mode at 0x700:0 and runs these bytes there. */
function virtual8086(bytes: string, flags: number): string {
  return `
    mov esi, %%code
    mov edi, 0x7000
    mov ecx, 16
    rep movsb
    push dword 0x1000                   ; GS FS DS ES
    push dword 0x1000
    push dword 0x1000
    push dword 0x1000
    push dword 0x600                    ; SS ESP
    push dword 0x800
    push dword ${flags}
    push dword 0x700
    push dword 0
    iret
%%code:
    db ${bytes}
    resb 16
`;
}

/** Programs the timer and waits, with interrupts off, until its interrupt is requested; vector 0x20. */
function pit(): string {
  return `
    mov al, 0x11
    out 0x20, al
    mov al, 0x20
    out 0x21, al
    mov al, 4
    out 0x21, al
    mov al, 1
    out 0x21, al
    mov al, 0xFE
    out 0x21, al
    mov al, 0x30                        ; channel 0, mode 0
    out 0x43, al
    mov al, 0x00
    out 0x40, al
    mov al, 0x10
    out 0x40, al
`;
}

/** An interrupt waits; how many instructions run before it comes in? They add one to ECX each. */
function arm(enable: string): string {
  return `${pit()}
%%wait:
    mov al, 0x0A                        ; read the request register
    out 0x20, al
    in al, 0x20
    test al, 1
    jz %%wait
    mov dword [idt + 0x20 * 8], CODE0 * 65536 + (%%taken & 0xFFFF)
    mov dword [idt + 0x20 * 8 + 4], (%%taken & 0xFFFF0000) + 0x8E00
    xor ecx, ecx
    ${enable}
    inc ecx
    inc ecx
    inc ecx
    cli
    jmp %%none
%%taken:
    mov eax, ecx
    call value
    mov al, 0x20
    out 0x20, al
    call set_gates
    mov esp, [saved_esp]
%%none:
    mov al, 0xFF
    out 0x21, al`;
}
