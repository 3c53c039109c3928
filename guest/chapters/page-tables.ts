/*G:140
 * Page tables
 *
 * The first tables map the first four megabytes twice, at 0 and at PAGE_OFFSET: enough to jump from one to the other.
 * A kernel of 3.1 or later hands them to the Host right after hello. A PAE kernel before that never hands them over,
 * but keeps them in its image all the same, with the top level filled in by the linker; from that pattern, a page
 * that holds four double words and nothing else, the Host can tell that the kernel wants three levels.
 */
export const bootTables = `
section .text
build_boot_tables:
    mov eax, PRESENT | WRITABLE
    mov edi, low_table - PAGE_OFFSET
    mov ecx, 1024
.next:
    mov [edi], eax
    add eax, PAGE
    add edi, PTE_BYTES
    loop .next
%if PAE
    mov dword [initial_pmd - PAGE_OFFSET], low_table - PAGE_OFFSET + TABLE
    mov dword [initial_pmd - PAGE_OFFSET + 8], low_table - PAGE_OFFSET + PAGE + TABLE
%else
    mov dword [initial_page_table - PAGE_OFFSET], low_table - PAGE_OFFSET + TABLE
    mov dword [initial_page_table - PAGE_OFFSET + 768 * 4], low_table - PAGE_OFFSET + TABLE
%endif
    ret

%if PAE
section .data
align 4096
initial_page_table:
    dd initial_pmd - PAGE_OFFSET + PRESENT, 0
    dd 0, 0
    dd 0, 0
    dd initial_pmd - PAGE_OFFSET + PRESENT, 0
    times PAGE - 32 db 0
section .bss
align 4096
initial_pmd:    resb PAGE
%else
section .bss
align 4096
initial_page_table: resb PAGE
%endif
low_table:      resb 1024 * PTE_BYTES   ; 4 MB
`;

/*G:150
 * The kernel's own tables add two windows. At 0x40000000 a program can live: a page of code, a page of stack, a page
 * of data, and then slots that the cases map as they like. At 0xD0000000 the kernel looks at pages it has no other
 * address for: behind the end of its memory is the page that describes the devices.
 */
export const kernelTables = `
USER_BASE       equ 0x40000000
USER_STACK      equ USER_BASE + 1 * PAGE
USER_STACK_TOP  equ USER_BASE + 2 * PAGE
USER_DATA       equ USER_BASE + 2 * PAGE
SLOT            equ 3                   ; the first free page of the window
SLOT_ADDRESS    equ USER_BASE + SLOT * PAGE
NOWHERE         equ 0x80000000          ; no directory entry leads here
WINDOW          equ 0xD0000000
DEVICE_WINDOW   equ WINDOW
FREE_WINDOW     equ 8                   ; first page of the window that no device uses
FREE_WINDOW_ADDRESS equ WINDOW + FREE_WINDOW * PAGE

section .text
build_kernel_tables:
%if PAE
    mov dword [swapper_pg_dir + 0 * 8], initial_pmd - PAGE_OFFSET + PRESENT
    mov dword [swapper_pg_dir + 1 * 8], user_pmd - PAGE_OFFSET + PRESENT
    mov dword [swapper_pg_dir + 3 * 8], kernel_pmd - PAGE_OFFSET + PRESENT
    mov dword [user_pmd], user_table - PAGE_OFFSET + TABLE
    mov dword [kernel_pmd], low_table - PAGE_OFFSET + TABLE
    mov dword [kernel_pmd + 8], low_table - PAGE_OFFSET + PAGE + TABLE
    mov dword [kernel_pmd + (WINDOW - PAGE_OFFSET) / 0x200000 * 8], window_table - PAGE_OFFSET + TABLE
%else
    mov dword [swapper_pg_dir], low_table - PAGE_OFFSET + TABLE
    mov dword [swapper_pg_dir + USER_BASE / 0x400000 * 4], user_table - PAGE_OFFSET + TABLE
    mov dword [swapper_pg_dir + PAGE_OFFSET / 0x400000 * 4], low_table - PAGE_OFFSET + TABLE
    mov dword [swapper_pg_dir + WINDOW / 0x400000 * 4], window_table - PAGE_OFFSET + TABLE
%endif
; Also between two cases: the windows as they should be.
reset_windows:
    mov edi, user_table
    mov ecx, 16 * PTE_BYTES / 4
    mov eax, 0
    rep stosd
    mov edi, window_table
    mov ecx, 16 * PTE_BYTES / 4
    rep stosd
    store_pte user_table, 0, USER_PROGRAMS + USER_READ_ONLY
    store_pte user_table, 1, user_stack_page - PAGE_OFFSET + USER_PAGE
    store_pte user_table, 2, user_data_page - PAGE_OFFSET + USER_PAGE
    ret

; A second address space: the directory at EDI becomes a copy of ours.
copy_directory:
    mov esi, swapper_pg_dir
    mov ecx, DIRECTORY_BYTES / 4
    rep movsd
    ret

section .bss
align 4096
%if PAE
                resb 0x7E0              ; a PAE directory need not begin a page
swapper_pg_dir: resb 32
                resb 0x20
second_directory: resb 32
                align 4096
user_pmd:       resb PAGE
kernel_pmd:     resb PAGE
second_pmd:     resb PAGE
third_pmd:      resb PAGE
%else
swapper_pg_dir: resb PAGE
second_directory: resb PAGE
%endif
user_table:     resb PAGE
window_table:   resb PAGE
second_table:   resb PAGE
third_table:    resb PAGE
user_stack_page: resb PAGE
user_data_page: resb PAGE
frame_a:        resb PAGE               ; two pages to be mapped, told apart by what is in them
frame_b:        resb PAGE
`;

/*G:160
 * Programs
 *
 * Ring-3 code of the cases is collected in a section of its own that is assembled for the window at 0x40000000. To
 * enter it we leave the frame of an interrupt that never happened on the stack and return from it.
 */
export const programs = `
section .user
    int 0x80                            ; a program at its first address does nothing

section .text
enter_user:
    mov eax, [esp + 4]
    push USER_DS
    push USER_STACK_TOP
    push IF | 2
    push USER_CS
    push eax
    mov eax, USER_DS
    mov ds, eax
    mov es, eax
    mov fs, eax
    mov gs, eax
    mov eax, 0
    mov ebx, 0
    mov ecx, 0
    mov edx, 0
    iret
`;
