/**
 * The frame of the ring-0 test kernel: a Multiboot header, descriptor tables, one handler for all vectors, and text on
 * the serial port. A check is a piece of code between `begin` and `finish`; a fault in it is printed and ends it.
 *
 * Addresses: the kernel at 1 MB, page tables from 2 MB, pages to play with from 3 MB; stacks inside the kernel.
 */

export const header = `
section .text physical=0x100000 virtual=0x100000
COM1            equ 0x3F8
DEBUG_EXIT      equ 0xF4
VECTORS         equ 64
FLAGS_SHOWN     equ 0x67700             ; TF IF DF IOPL NT VM AC: RF is left out, emulators differ

CODE0           equ 0x08
DATA0           equ 0x10
CODE3           equ 0x1B
DATA3           equ 0x23
TSS_MAIN        equ 0x28
TSS_OTHER       equ 0x30
ABSENT_DATA     equ 0x38
EXECUTE_ONLY    equ 0x40
EXPAND_DOWN     equ 0x48
SMALL_DATA      equ 0x50
GATE3           equ 0x58
GATE0           equ 0x60
CONFORMING      equ 0x68
LDT             equ 0x70
READ_ONLY       equ 0x78
TASK_GATE       equ 0x80
TSS_FAULT       equ 0x88
SMALL_STACK     equ 0x90
ABSENT_STACK    equ 0x98
CODE1           equ 0xA0

multiboot:
    dd 0x1BADB002
    dd 0
    dd 0xE4524FFE                       ; the three add up to zero
start:
    cli
    cld
    mov esp, stack_top
    mov [boot_eax], eax
    mov [boot_ebx], ebx
    lgdt [gdt_pointer]
    jmp CODE0:start_flat
start_flat:
    mov eax, DATA0
    mov ds, eax
    mov es, eax
    mov ss, eax
    mov fs, eax
    mov gs, eax
    call set_gates
    lidt [idt_pointer]
    mov dword [tss_main + 4], kernel_stack_top
    mov dword [tss_main + 8], DATA0
    mov word [tss_main + 0x66], 0x68
    mov eax, TSS_MAIN
    ltr ax
    mov al, 0xFF                        ; no interrupts but those asked for
    out 0x21, al
    out 0xA1, al
    jmp checks

; --- text ---------------------------------------------------------------------------------------
putc:                                   ; AL
    push edx
    push eax
.wait:
    mov edx, COM1 + 5
    in al, dx
    test al, 0x20
    jz .wait
    pop eax
    mov edx, COM1
    out dx, al
    pop edx
    ret

print:                                  ; ESI: text with a zero behind it
    push eax
    push esi
.next:
    lodsb
    test al, al
    jz .done
    call putc
    jmp .next
.done:
    pop esi
    pop eax
    ret

print_hex:                              ; EAX, eight digits
    push eax
    push ecx
    push edx
    mov edx, eax
    mov ecx, 8
.next:
    rol edx, 4
    mov eax, edx
    and eax, 15
    add eax, '0'
    cmp eax, '9'
    jbe .digit
    add eax, 39
.digit:
    call putc
    loop .next
    pop edx
    pop ecx
    pop eax
    ret

value:                                  ; a blank and EAX; keeps all registers
    push eax
    mov al, ' '
    call putc
    pop eax
    call print_hex
    ret

; --- checks -------------------------------------------------------------------------------------
begin:                                  ; ESI: name
    call print
    push eax
    mov al, ':'
    call putc
    pop eax
    ret

nothing:                                ; no fault happened
    push esi
    mov esi, text_ok
    call print
    pop esi
    ret

finish:
    cld
    mov eax, DATA0
    mov ds, eax
    mov es, eax
    mov fs, eax
    mov gs, eax
    clts
    mov al, 10
    call putc
    ret

; EAX: where ring 3 begins, with the flags in [user_flags]. Does not return but through a fault.
enter_user:
    push dword DATA3
    push dword user_stack_top
    push dword [user_flags]
    push dword CODE3
    push eax
    mov eax, DATA3
    mov ds, eax
    mov es, eax
    mov fs, eax
    mov gs, eax
    iret

done:
    mov esi, text_end
    call print
    mov eax, 0x10
    mov edx, DEBUG_EXIT
    out dx, al
    cli
    hlt

; --- every vector -------------------------------------------------------------------------------
handler:
    pusha
    mov eax, DATA0
    mov ds, eax
    mov es, eax
    cld
    mov esi, text_vector
    call print
    mov eax, [esp + 32]
    call print_hex
    mov eax, [esp + 36]                 ; error code
    call value
    mov eax, [esp + 40]                 ; EIP
    call value
    mov eax, [esp + 44]                 ; CS
    and eax, 0xFFFF
    call value
    mov eax, [esp + 48]
    and eax, FLAGS_SHOWN
    call value
    cmp dword [esp + 32], 14
    jne .not_page
    mov esi, text_cr2
    call print
    mov eax, cr2
    call print_hex
.not_page:
    mov eax, [esp + 48]
    test eax, 0x20000
    jnz .outer
    mov eax, [esp + 44]
    test eax, 3
    jz .inner
.outer:
    mov esi, text_outer
    call print
    mov eax, [esp + 52]                 ; ESP and SS from outside
    call print_hex
    mov eax, [esp + 56]
    and eax, 0xFFFF
    call value
.inner:
    mov esp, [saved_esp]
    jmp [resume]

set_gates:
    mov edi, idt
    mov ecx, VECTORS
    mov eax, stubs
.next:
    mov edx, eax
    and edx, 0xFFFF
    or edx, CODE0 * 65536
    mov [edi], edx
    mov edx, eax
    and edx, 0xFFFF0000
    or edx, 0x8E00
    mov [edi + 4], edx
    add edi, 8
    add eax, 16
    loop .next
    mov byte [idt + 0x30 * 8 + 5], 0xEE ; INT 0x30, INT3 and INTO are for everybody
    mov byte [idt + 3 * 8 + 5], 0xEE
    mov byte [idt + 4 * 8 + 5], 0xEE
    ret

align 16
stubs:
%assign n 0
%rep 64
%if (n != 8) && ((n < 10) || (n > 14)) && (n != 17)
    push dword 0
%endif
    push dword n
    jmp near handler
    align 16
%assign n n + 1
%endrep
`;

/** A descriptor as two words: base, limit (20 bits), access byte, flags (G and D/B in the high nibble). */
function descriptor(base: number, limit: number, access: number, flags: number): string {
  const low = ((base & 0xffff) << 16) | (limit & 0xffff);
  const high = (base & 0xff00_0000) | (flags << 20) | (limit & 0xf_0000) | (access << 8) | ((base >>> 16) & 0xff);
  return `    dd ${low >>> 0}, ${high >>> 0}\n`;
}
/** One whose base is a symbol below 16 MB. */
function descriptorAt(symbol: string, limit: number, access: number, flags: number): string {
  const high = (flags << 20) | (limit & 0xf_0000) | (access << 8);
  return `    dw ${limit & 0xffff}\n    dw ${symbol} & 0xFFFF\n    dd ${high} + (${symbol} / 65536)\n`;
}
/** A gate: selector, offset symbol, access byte, parameters. */
function gate(selector: string, offset: string, access: number, parameters = 0): string {
  return `    dw ${offset} & 0xFFFF\n    dw ${selector}\n    dw ${(access << 8) | parameters}\n    dw ${offset} / 65536\n`;
}

export const data = `
section .data align=4096
align 8
gdt:
    dd 0, 0
${descriptor(0, 0xf_ffff, 0x9a, 0xc)}${descriptor(0, 0xf_ffff, 0x92, 0xc)}\
${descriptor(0, 0xf_ffff, 0xfa, 0xc)}${descriptor(0, 0xf_ffff, 0xf2, 0xc)}\
${descriptorAt('tss_main', 0x67 + 33, 0x89, 0)}${descriptorAt('tss_other', 0x67, 0x89, 0)}\
${descriptor(0, 0xf_ffff, 0x12, 0xc)}${descriptor(0, 0xf_ffff, 0x98, 0xc)}\
${descriptor(0, 0xfff, 0x96, 0x4)}${descriptor(0, 0xff, 0x92, 0x4)}\
${gate('CODE0', 'gate_target', 0xec, 2)}${gate('CODE0', 'gate_target', 0x8c)}\
${descriptor(0, 0xf_ffff, 0x9e, 0xc)}${descriptorAt('ldt', 15, 0x82, 0)}\
${descriptor(0, 0xf_ffff, 0x90, 0xc)}${gate('TSS_OTHER', '0', 0x85)}\
${descriptorAt('tss_fault', 0x67, 0x89, 0)}${descriptor(0, 0xff, 0x92, 0x4)}\
${descriptor(0, 0xf_ffff, 0x12, 0xc)}${descriptor(0, 0xf_ffff, 0xba, 0xc)}
gdt_end:
align 8
ldt:
${descriptor(0, 0xf_ffff, 0x92, 0xc)}${descriptor(0, 0xf_ffff, 0x12, 0xc)}
gdt_pointer:
    dw gdt_end - gdt - 1
    dd gdt
idt_pointer:
    dw VECTORS * 8 - 1
    dd idt
no_idt:
    dw 0
    dd 0
text_ok:        db ' ok', 0
text_end:       db 'end', 10, 0
text_vector:    db ' #', 0
text_cr2:       db ' cr2=', 0
text_outer:     db ' from=', 0
align 4
user_flags:     dd 2

section .bss zero align=4096
resume:         resd 1
saved_esp:      resd 1
boot_eax:       resd 1
boot_ebx:       resd 1
scratch:        resd 4
counter:        resd 1
align 8
idt:            resb VECTORS * 8
tss_main:       resb 0x68 + 36
tss_other:      resb 0x68
tss_fault:      resb 0x68
align 16
                resb 4096
stack_top:
                resb 4096
kernel_stack_top:
                resb 4096
user_stack_top:
                resb 4096
other_stack_top:
                resb 4096
fault_stack_top:
`;
