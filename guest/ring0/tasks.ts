import { check } from './check.js';

const PREPARE = (entry: string): string => `
    mov dword [tss_other + 0x20], ${entry}
    mov dword [tss_other + 0x24], 2
    mov dword [tss_other + 0x28], 0xA
    mov dword [tss_other + 0x2C], 0xC
    mov dword [tss_other + 0x38], other_stack_top
    mov dword [tss_other + 0x48], DATA0
    mov dword [tss_other + 0x4C], CODE0
    mov dword [tss_other + 0x50], DATA0
    mov dword [tss_other + 0x54], DATA0
    mov dword [tss_other + 0x58], DATA0
    mov dword [tss_other + 0x5C], DATA0
    mov dword [tss_other + 0x60], 0
    mov dword [tss_other + 0x64], 0`;

const SHOW = `
    mov eax, [gdt + TSS_MAIN + 4]
    and eax, 0xFF00
    call value
    mov eax, [gdt + TSS_OTHER + 4]
    and eax, 0xFF00
    call value
    smsw eax
    and eax, 15
    call value
    pushf
    pop eax
    and eax, FLAGS_SHOWN
    call value
    str eax
    call value`;

/** Task switches, their links, busy bits and faults. */
export const TASK_CHECKS = [
  check(
    'CALL to a task',
    `${PREPARE('%%other')}\n mov ecx, 0x1234\n call TSS_OTHER:0\n mov eax, ecx\n call value${SHOW}\n jmp %%out\n%%other:\n mov eax, [tss_other]\n call value${SHOW}\n iret\n%%out:`,
  ),
  check(
    'JMP to a task and back',
    `${PREPARE('%%other')}\n jmp TSS_OTHER:0\n${SHOW}\n jmp %%out\n%%other:\n mov eax, ecx\n call value${SHOW}\n jmp TSS_MAIN:0\n%%out:`,
  ),
  check(
    'through a task gate',
    `${PREPARE('%%other')}\n call TASK_GATE:0\n jmp %%out\n%%other:\n mov eax, edx\n call value\n iret\n%%out:`,
  ),
  check('to a busy task', `jmp TSS_MAIN:0`),
  check('to an absent task', `and byte [gdt + TSS_OTHER + 5], 0x7F\n call TSS_OTHER:0`),
  check('task back', `or byte [gdt + TSS_OTHER + 5], 0x80`),
  check('IRET with NT and a bad link', `mov word [tss_main], DATA0\n push dword 0x4002\n popf\n iret`),
  check('NT off', `push dword 2\n popf`),
  check(
    'double fault through a task gate',
    `mov dword [idt + 8 * 8], TSS_FAULT * 65536
    mov dword [idt + 8 * 8 + 4], 0x8500
    mov dword [tss_fault + 0x20], %%task
    mov dword [tss_fault + 0x24], 2
    mov dword [tss_fault + 0x38], fault_stack_top
    mov dword [tss_fault + 0x48], DATA0
    mov dword [tss_fault + 0x4C], CODE0
    mov dword [tss_fault + 0x50], DATA0
    mov dword [tss_fault + 0x54], DATA0
    mov dword [tss_fault + 0x58], DATA0
    mov dword [tss_fault + 0x5C], DATA0
    mov byte [idt + 13 * 8 + 5], 0x0E
    mov byte [idt + 11 * 8 + 5], 0x0E
    xor eax, eax
    mov ss, ax
%%task:
    pop eax                             ; the error code
    call value
    mov eax, [tss_fault]                ; who was interrupted
    call value
    mov dword [tss_main + 0x20], %%back
    iret
%%back:
    mov byte [idt + 13 * 8 + 5], 0x8E
    mov byte [idt + 11 * 8 + 5], 0x8E
    call set_gates`,
  ),
];
