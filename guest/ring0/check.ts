/** One check: what it is called in the output, and its code. */
export interface Check {
  readonly name: string;
  /** Assembly text. It ends in a fault, which is printed, or runs through. */
  readonly code: string;
}

export function check(name: string, code: string): Check {
  return { name, code };
}

/** Code that runs in ring 3 (paging off, or its pages for everybody). Symbols are made unique by the check's number. */
export function userCheck(name: string, code: string, flags = 2): Check {
  return {
    name,
    code: `
    mov dword [user_flags], ${flags}
    mov eax, %%user
    jmp enter_user
%%user:
${code}
    int 0x30                            ; no fault: say so through a gate for everybody
`,
  };
}

/** All checks as one program text. \`%%\` in a check's code becomes a label of its own. */
export function renderChecks(checks: readonly Check[]): string {
  const text = checks.map(({ code }, index) => {
    const label = `check_${index}`;
    return `
${label}:
    mov esi, ${label}_name
    call begin
    mov dword [resume], ${label}_is_over
    mov [saved_esp], esp
${code.replaceAll('%%', `${label}_`)}
    call nothing
${label}_is_over:
    call finish
`;
  });
  const names = checks.map(({ name }, index) => `check_${index}_name: db '${name}', 0\n`);
  return `section .text\nchecks:\n${text.join('')}    jmp done\nsection .data\n${names.join('')}`;
}
