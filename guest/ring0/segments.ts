import { check, userCheck } from './check.js';

/**
 * Segment registers, descriptor tables, gates and privilege levels. Limits and types of segments that memory is reached
 * through are not here: qemu's translator does not check them (test/cpu does).
 */
export const SEGMENT_CHECKS = [
  check('boot magic', 'mov eax, [boot_eax]\n call value'),
  check('store tables', 'str eax\n call value\n sldt eax\n call value'),
  check('null SS', 'xor eax, eax\n mov ss, ax'),
  check('DS beyond the table', 'mov eax, 0x1F8\n mov ds, ax'),
  check('DS absent', 'mov eax, ABSENT_DATA\n mov ds, ax'),
  check('SS absent', 'mov eax, ABSENT_STACK\n mov ss, ax'),
  check('SS with another RPL', 'mov eax, DATA0 + 1\n mov ss, ax'),
  check('SS read-only', 'mov eax, READ_ONLY\n mov ss, ax'),
  check('DS from a gate', 'mov eax, GATE0\n mov ds, ax'),
  check('DS execute-only', 'mov eax, EXECUTE_ONLY\n mov ds, ax'),
  check('accessed bit', 'mov eax, SMALL_DATA\n mov gs, ax\n mov eax, [gdt + SMALL_DATA + 4]\n call value'),
  check('LDT', 'mov eax, LDT\n lldt ax\n mov eax, 4\n mov fs, ax\n sldt eax\n call value'),
  check('LDT entry absent', 'mov eax, 12\n mov fs, ax'),
  check('LDT beyond', 'mov eax, 20\n mov fs, ax'),
  check('null LDT, then use', 'xor eax, eax\n lldt ax\n mov eax, 4\n mov fs, ax'),
  check('LLDT of no LDT', 'mov eax, DATA0\n lldt ax'),
  check('LTR of a busy task', 'mov eax, TSS_MAIN\n ltr ax'),
  check('LTR of no task', 'mov eax, DATA0\n ltr ax'),
  check(
    'LAR',
    'xor eax, eax\n mov ecx, CODE3\n lar eax, ecx\n setz cl\n and eax, 0xF0FF00\n call value\n movzx eax, cl\n call value',
  ),
  check(
    'LAR of an interrupt gate',
    'mov eax, 7\n mov ecx, 0x1F8\n lar eax, ecx\n setz cl\n movzx eax, cl\n call value',
  ),
  check('LSL', 'mov ecx, SMALL_DATA\n lsl eax, ecx\n call value\n mov ecx, DATA3\n lsl eax, ecx\n call value'),
  check(
    'VERR and VERW',
    `mov ecx, EXECUTE_ONLY
    verr cx
    setz al
    movzx eax, al
    call value
    mov ecx, READ_ONLY
    verw cx
    setz al
    movzx eax, al
    call value
    mov ecx, DATA3
    verw cx
    setz al
    movzx eax, al
    call value`,
  ),
  check('ARPL', 'mov eax, 0x10\n mov ecx, 3\n arpl ax, cx\n call value'),
  check('far jump, same level', 'jmp CODE0:%%there\n%%there:\n mov eax, cs\n call value'),
  check('far jump to data', 'jmp DATA0:0'),
  check('far jump to ring 3 code', 'jmp CODE3:0'),
  check(
    'far jump, conforming',
    'jmp CONFORMING:%%there\n%%there:\n mov eax, cs\n call value\n jmp CODE0:%%back\n%%back:',
  ),
  check('far jump to a ring 1 segment', 'jmp CODE1:0'),
  check('call gate, same level', 'call GATE0:0\n mov eax, cs\n call value'),
  userCheck('ring 3: registers', 'mov eax, cs\n mov ecx, ss\n mov edx, ds'),
  userCheck('ring 3: DS of ring 0', 'mov eax, DATA0\n mov ds, ax'),
  userCheck('ring 3: call gate of ring 0', 'call GATE0:0'),
  userCheck('ring 3: call gate', 'push dword 0x11111111\n push dword 0x22222222\n call GATE3:0\n mov eax, ss'),
  userCheck('ring 3: jump through a gate inward', 'jmp GATE3:0'),
  userCheck('ring 3: conforming code keeps the level', 'call CONFORMING + 3:%%far\n%%far:\n mov eax, cs\n int 0x30'),
  userCheck('ring 3: far jump to ring 0', 'jmp CODE0:0'),
  userCheck('ring 3: CLI', 'cli'),
  userCheck('ring 3: CLI with IOPL 3', 'cli\n sti', 0x3002),
  userCheck('ring 3: HLT', 'hlt'),
  userCheck('ring 3: LGDT', 'lgdt [gdt_pointer]'),
  userCheck('ring 3: MOV from CR0', 'mov eax, cr0'),
  userCheck('ring 3: SMSW', 'smsw eax'),
  userCheck('ring 3: CLTS', 'clts'),
  userCheck('ring 3: INVLPG', 'invlpg [0]'),
  userCheck('ring 3: RDMSR', 'mov ecx, 0x174\n rdmsr'),
  userCheck('ring 3: IN', 'in al, 0x80'),
  userCheck('ring 3: OUT to a port the map allows', 'mov edx, 0x100\n out dx, al\n int 0x30'),
  userCheck('ring 3: OUT, second byte not allowed', 'mov edx, 0x107\n out dx, ax'),
  userCheck('ring 3: OUT beyond the map', 'mov edx, 0x1000\n out dx, al'),
  userCheck('ring 3: IN with IOPL 3', 'in al, 0x80', 0x3002),
  userCheck('ring 3: POPF cannot change IF and IOPL', 'push dword 0x3202\n popf\n pushf\n pop eax\n int 0x30'),
  userCheck('ring 3: INT through a gate of ring 0', 'int 0x31'),
  userCheck('ring 3: INT3 is for everybody', 'int3'),
  userCheck('ring 3: RETF inward', 'push dword CODE0\n push dword 0\n retf'),
  userCheck('ring 3: IRET inward', 'push dword 2\n push dword CODE0\n push dword 0\n iret'),
  check('RETF to data', 'push dword DATA0\n push dword 0\n retf'),
  check('RETF to nowhere', 'push dword 0\n push dword 0\n retf'),
  check(
    'IRET with a stack of another level',
    'push dword DATA0\n push dword 0\n push dword 2\n push dword CODE3\n push dword 0\n iret',
  ),
  check('IRET with no stack', 'push dword 0\n push dword 0\n push dword 2\n push dword CODE3\n push dword 0\n iret'),
];

/** Reached through GATE0 and GATE3: prints level, stack and parameters, returns. */
export const segmentRoutines = `
gate_target:
    push ds
    push eax
    mov eax, DATA0
    mov ds, eax
    mov eax, cs
    call value
    mov eax, [esp + 12]                 ; CS of the caller
    call value
    test al, 3
    jz .same
    mov eax, [esp + 16]                 ; parameters, last one first
    call value
    mov eax, [esp + 20]
    call value
    mov eax, [esp + 24]                 ; ESP and SS
    call value
    mov eax, [esp + 28]
    call value
    pop eax
    pop ds
    db 0xCA, 8, 0                       ; retf 8
.same:
    pop eax
    pop ds
    retf
`;
