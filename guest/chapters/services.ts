/*G:300
 * The ring of hypercalls that can wait
 *
 * Page table changes come in bursts, so a kernel leaves them in the ring and calls once at the end. The next slot is
 * the guest's own secret; it only has to go round in the same order as the Host does.
 */
export const ring = `
section .text
; On the stack: number and three arguments. Keeps all registers.
ring_add:
    pusha
    mov ebx, [ring_next]
    mov edi, ebx
    imul edi, edi, RING_ENTRY
    add edi, hcalls
    lea esi, [esp + 36]
    mov ecx, 4
    rep movsd
%if LAYOUT >= 2
    mov dword [edi], 0                  ; the fourth argument
%endif
    mov byte [hcall_status + ebx], 0    ; ready
    inc ebx
    and ebx, RING_SLOTS - 1
    mov [ring_next], ebx
    popa
    ret 16

; AL: status of the slot that was filled ECX calls ago (1: the last one).
ring_status:
    mov eax, [ring_next]
    sub eax, ecx
    and eax, RING_SLOTS - 1
    movzx eax, byte [hcall_status + eax]
    ret

section .bss
align 4
ring_next:      resd 1
`;

/*G:310
 * Time
 *
 * The Host says how fast the time-stamp counter runs. If it says 0, it means "do not rely on it", and we can only
 * count our own steps.
 */
export const time = `
section .text
; EAX: nanoseconds to wait, awake. Keeps all registers.
spin_nanoseconds:
    pusha
    mov ecx, [tsc_khz]
    test ecx, ecx
    jz .count
    mul ecx
    mov ecx, 1000000
    div ecx                             ; ticks
    mov ebx, eax
    rdtsc
    mov esi, eax
.wait:
    rdtsc
    sub eax, esi
    cmp eax, ebx
    jb .wait
    popa
    ret
.count:
    inc eax
    shr eax, 1
    inc eax
.step:
    dec eax
    jnz .step
    popa
    ret

; EAX: nanoseconds until interrupt 0, which is unmasked. Keeps all registers.
arm_timer:
    and dword [blocked_interrupts], ~1
    hcall1 SET_CLOCKEVENT, eax
    ret
`;

/*G:320
 * Talking
 *
 * Before there is a console driver, NOTIFY with the address of a string prints it. A real kernel does so sixteen
 * characters at a time; we collect a line.
 */
export const talking = `
section .text
; ESI: text. Keeps all registers, like all routines here.
put_string:
    pusha
    mov edi, [line_end]
.next:
    mov al, [esi]
    test al, al
    jz .done
    mov [edi], al
    inc esi
    inc edi
    cmp edi, line + 500
    jb .next
.done:
    mov [line_end], edi
    popa
    ret

; EAX: number, in hexadecimal.
put_hex:
    pusha
    mov esi, hex_prefix
    call put_string
    mov edi, [line_end]
    mov ecx, 8
.digit:
    rol eax, 4
    mov ebx, eax
    and ebx, 15
    mov bl, [hex_digits + ebx]
    mov [edi], bl
    inc edi
    loop .digit
    mov [line_end], edi
    popa
    ret

; EAX: number, in decimal.
put_decimal:
    pusha
    mov edi, decimal_end
    mov ecx, 10
.digit:
    mov edx, 0
    div ecx
    add dl, '0'
    dec edi
    mov [edi], dl
    test eax, eax
    jnz .digit
    mov esi, edi
    call put_string
    popa
    ret

end_line:
    pusha
    mov edi, [line_end]
    mov word [edi], 10                  ; line feed, NUL
    hcall1 NOTIFY, line - PAGE_OFFSET
    mov dword [line_end], line
    popa
    ret

section .data
hex_prefix:     db "0x", 0
hex_digits:     db "0123456789abcdef"
line_end:       dd line
                times 10 db 0
decimal_end:    db 0
section .bss
line:           resb 512
`;
