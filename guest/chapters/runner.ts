/*G:500
 * Which cases?
 *
 * The command line says: `case=T34`, several with commas between, or `case=all`. With an empty command line we say
 * who we are and run all. These routines use no address of their own, because the first use of them is before the
 * jump to the upper gigabyte: a few cases must happen in place of saying hello.
 */
export const choosing = `
section .text
; EDI: command line; becomes what follows "case=", or 0.
find_case_word:
    cmp byte [edi], 0
    je .none
    cmp dword [edi], 'case'
    jne .next
    cmp byte [edi + 4], '='
    jne .next
    add edi, 5
    ret
.next:
    inc edi
    jmp find_case_word
.none:
    mov edi, 0
    ret

; EDI: list of names, ESI: name. ZF: it is in the list. Keeps EDI, ESI.
match_case:
    push edi
    push esi
    push ebx
.compare:
    mov ebx, [esp + 4]
.letter:
    mov al, [ebx]
    mov ah, [edi]
    test al, al
    jz .end_of_name
    cmp al, ah
    jne .skip
    inc ebx
    inc edi
    jmp .letter
.end_of_name:
    cmp ah, 0
    je .done
    cmp ah, ' '
    je .done
    cmp ah, ','
    je .done
.skip:                                  ; to the name after the next comma
    mov ah, [edi]
    cmp ah, 1
    jb .differ
    cmp ah, ' '
    je .differ
    inc edi
    cmp ah, ','
    jne .skip
    jmp .compare
.differ:
    or ah, 1                            ; not zero
.done:
    pop ebx
    pop esi
    pop edi
    ret

; Before hello: a case of the entry stage that was asked for takes over.
find_early_case:
    mov edi, COMMAND_LINE
    call find_case_word
    test edi, edi
    jz .none
    mov ebp, case_table - PAGE_OFFSET
.next:
    mov esi, [ebp + CASE_NAME]
    test esi, esi
    jz .none
    sub esi, PAGE_OFFSET
    test dword [ebp + CASE_FLAGS], BEFORE_HELLO
    jz .other
    call match_case
    jne .other
    mov eax, [ebp + CASE_CODE]
    sub eax, PAGE_OFFSET
    call eax
.other:
    add ebp, CASE_BYTES
    jmp .next
.none:
    ret

CASE_NAME       equ 0
CASE_CODE       equ 4
CASE_FLAGS      equ 8
CASE_TITLE      equ 12
CASE_BYTES      equ 16

IN_ALL          equ 1                   ; ends normally and needs nothing from outside
BEFORE_HELLO    equ 2
NEEDS_INITRD    equ 4
COUNTS_INTERRUPTS equ 8
`;

/*G:510
 * Running them
 */
export const running = `
section .text
run_cases:
    mov edi, PAGE_OFFSET + COMMAND_LINE
    cmp byte [edi], 0
    jne .quiet
    call greet
.quiet:
    call find_storm
    mov edi, PAGE_OFFSET + COMMAND_LINE
    call find_case_word
    test edi, edi
    jz .chosen
    mov esi, word_all
    call match_case
    jne .chosen
    mov edi, 0
.chosen:
    mov [case_list], edi
    mov ebp, case_table
.next:
    mov esi, [ebp + CASE_NAME]
    test esi, esi
    jz .summary
    test dword [ebp + CASE_FLAGS], BEFORE_HELLO
    jnz .other
    mov edi, [case_list]
    test edi, edi
    jz .one_of_all
    call match_case
    jne .other
    jmp .run
.one_of_all:
    test dword [ebp + CASE_FLAGS], IN_ALL
    jz .other
    test dword [ebp + CASE_FLAGS], NEEDS_INITRD
    jz .run
    cmp dword [PAGE_OFFSET + BOOT_PARAMS + RAMDISK_SIZE], 0
    je .other
.run:
    cmp dword [storm_wanted], 0
    je .calm
    test dword [ebp + CASE_FLAGS], COUNTS_INTERRUPTS
    jnz .other
.calm:
    call run_case
.other:
    add ebp, CASE_BYTES
    jmp .next

.summary:
    mov eax, [cases_run]
    call put_decimal
    mov esi, text_cases
    call put_string
    mov eax, [cases_failed]
    test eax, eax
    jz .fine
    call put_decimal
    mov esi, text_fail
    jmp .said
.fine:
    mov esi, text_all_pass
    cmp dword [cases_run], 0
    jne .said
    mov esi, text_unknown
.said:
    call put_string
    call end_line
    mov eax, [storm_count]
    test eax, eax
    jz .no_storm
    call put_decimal
    mov esi, text_storm
    call put_string
    call end_line
.no_storm:
    ret

; EBP: a row of the table. Keeps EBP.
run_case:
    mov [current_case], ebp
    mov dword [case_failed], 0
    call prepare_case
    push ebp
    mov [case_esp], esp
    mov eax, [ebp + CASE_CODE]
    call eax
case_over:
    mov esp, [case_esp]
    pop ebp
    cld
    disable_interrupts
    mov dword [trap_hook], 0
    mov dword [trap_resume], 0
    mov dword [line_end], line
    inc dword [cases_run]
    cmp dword [case_failed], 0
    jne .failed
    call put_name
    mov esi, text_pass
    call put_string
    mov esi, [ebp + CASE_TITLE]
    call put_string
    call end_line
    ret
.failed:
    inc dword [cases_failed]
    ret

put_name:
    push esi
    push eax
    mov eax, [current_case]
    mov esi, [eax + CASE_NAME]
    call put_string
    pop eax
    pop esi
    ret

; On the stack: text, wanted, seen. Keeps all registers.
check_equal:
    pusha
    mov eax, [esp + 44]
    mov ebx, [esp + 40]
    cmp eax, ebx
    je .same
    mov dword [case_failed], 1
    call put_name
    mov esi, text_fails
    call put_string
    mov esi, [esp + 36]
    call put_string
    mov esi, text_is
    call put_string
    call put_hex
    mov esi, text_wanted
    call put_string
    mov eax, ebx
    call put_hex
    call end_line
.same:
    popa
    ret 12

; On the stack: text. The case ends here.
fail_case:
    disable_interrupts                  ; what was missed must not come in the middle of the sentence
    pop eax
    pop edx
    mov dword [case_failed], 1
    call put_name
    mov esi, text_fails
    call put_string
    mov esi, edx
    call put_string
    call end_line
    jmp case_over

; A trap that no case has asked for.
unexpected_trap:
    mov dword [case_failed], 1
    cmp dword [current_case], 0
    je .nobody
    call put_name
    mov esi, text_fails
    call put_string
.nobody:
    mov esi, text_trap
    call put_string
    mov eax, [trap_vector]
    call put_decimal
    mov esi, text_at
    call put_string
    call saved_eip
    call put_hex
    mov esi, text_words
    call put_string
    mov ebx, 0
.word:
    mov eax, [trap_words + ebx * 4]
    call put_hex
    mov esi, text_blank
    call put_string
    inc ebx
    cmp ebx, 5
    jb .word
    call end_line
    cmp dword [current_case], 0
    jne case_over
    hcall2 SHUTDOWN, power_down_text - PAGE_OFFSET, POWER_OFF

section .data
word_all:       db "all", 0
text_pass:      db " pass  ", 0
text_fails:     db " FAIL  ", 0
text_is:        db " is ", 0
text_wanted:    db ", should be ", 0
text_trap:      db "unexpected trap ", 0
text_at:        db " at ", 0
text_words:     db ", frame ", 0
text_blank:     db " ", 0
text_cases:     db " cases: ", 0
text_all_pass:  db "all pass", 0
text_fail:      db " FAIL", 0
text_storm:     db " interrupts of the storm", 0
text_unknown:   db "this variant has none of that name", 0

section .bss
align 4
case_list:      resd 1
current_case:   resd 1
case_failed:    resd 1
case_esp:       resd 1
cases_run:      resd 1
cases_failed:   resd 1
`;

/*G:520
 * Between two cases everything is put back: no timer, no interrupt waiting, no virtual TS, our page tables, stack,
 * gates and segments. An interrupt that is still waiting can only be got rid of by taking it.
 */
export const preparing = `
section .text
prepare_case:
    pusha
    disable_interrupts
    mov dword [blocked_interrupts], -1
    hcall1 SET_CLOCKEVENT, 0
    hcall1 TS, 0
    hcall1 NEW_PGTABLE, swapper_pg_dir - PAGE_OFFSET
    call reset_windows
    hcall1 FLUSH_TLB, 1
    hcall3 SET_STACK, KERNEL_DS, trap_stack_top, 1
    call reload_segments
    call load_default_gates
    mov dword [trap_hook], ignore_trap
    mov ecx, 33                         ; in a storm there is always one more
.drain:
    mov ebx, [trap_count]
    mov dword [blocked_interrupts], 0
    enable_interrupts
    hcall0 FLUSH_ASYNC
    disable_interrupts
    mov dword [blocked_interrupts], -1
    cmp ebx, [trap_count]
    loopne .drain
    mov dword [trap_hook], 0
    mov dword [trap_resume], 0
    mov dword [trap_count], 0
    mov dword [trap_vector], -1
    mov dword [frame_a], 0xAAAA0001
    mov dword [frame_b], 0xBBBB0002
    fninit
    call begin_storm
    popa
    ret
`;

/*G:525
 * In a storm
 *
 * A program that works when nobody disturbs it proves little about a system whose business is disturbance. With the
 * word `storm` on the command line, timer interrupts are open while a case runs, and whoever runs us lets the timer
 * go off every few instructions. Nothing that a case looks at may change by that. Only the cases whose subject is when
 * interrupts come are left out.
 */
export const storm = `
section .text
find_storm:
    mov edi, PAGE_OFFSET + COMMAND_LINE
.next:
    cmp byte [edi], 0
    je .none
    cmp dword [edi], 'stor'
    je .found
    inc edi
    jmp .next
.found:
    mov dword [storm_wanted], 1
.none:
    ret

begin_storm:
    cmp dword [storm_wanted], 0
    je .calm
    gate 0x20, storm_stub, INTERRUPT_GATE
    and dword [blocked_interrupts], ~1
    enable_interrupts
.calm:
    ret

; Unlike the other handlers this one leaves no trace where a case might look.
storm_stub:
    inc dword [ss:storm_count]
    jmp lguest_iret

section .bss
align 4
storm_wanted:   resd 1
storm_count:    resd 1
`;

/*G:530
 * Hello, people
 */
export const greeting = `
section .text
greet:
    pusha
    mov esi, text_greeting
.next:
    call put_string
    call end_line
    lodsb
.skip:
    test al, al
    jz .ended
    lodsb
    jmp .skip
.ended:
    cmp byte [esi], 0
    jne .next
    popa
    ret

section .data
text_greeting:
    db "  Hello! I am the conformance guest of lguest, a very small kernel.", 0
    db "  I run on a processor made of TypeScript, and ask the Host for everything", 0
    db "  that a Linux kernel would ask for. Here is what it answered.", 0
    db " ", 0
    db 0
`;
