/*L:130
 * Help
 *
 * Made from the option table; nothing is written twice.
 */
import { GROUPS, OPTIONS, type OptionRow } from './options.js';

/** The forms of the command, and what each does. */
const FORMS = [
  ['lguest [options]', 'a shell in the default guest, a small Debian'],
  ['lguest run [options] -- COMMAND…', 'one command there; its status is ours'],
  ['lguest [options] <memory-MB> <kernel> [kernel arguments…]', 'launch a kernel of your own'],
  ['lguest image list|build|remove [ID]', 'the images of the default guest'],
  ['lguest help OPTION', 'more about one option'],
] as const;

const KEYS = 'Every key goes to the guest, except three Ctrl-C within a second (end) and Ctrl-] (menu).';
const STATUS = `Exit status: of the default guest's shell or command; else 0 the guest powered off, 1 it was killed or
could not start, 124 a limit ended it, 130 Ctrl-C.`;

/** `--name=FILE`, `--name[=FILE]` or `--name`. */
export function spellOption(row: OptionRow): string {
  if (row.argument === undefined) return `--${row.name}`;
  return row.argumentOptional ? `--${row.name}[=${row.argument}]` : `--${row.name}=${row.argument}`;
}

/** The text of `lguest --help`. */
export function renderHelp(): string {
  const lines = ['lguest launches 32-bit Linux kernels, with lguest support or without.', ''];
  const formWidth = Math.max(...FORMS.map(([form]) => form.length));
  for (const [form, does] of FORMS) lines.push(`  ${form.padEnd(formWidth)}  ${does}`);
  const shown = OPTIONS.filter((row) => row.hidden !== true);
  const width = Math.max(...shown.map((row) => spellOption(row).length));
  for (const group of GROUPS) {
    lines.push('', group);
    for (const row of shown.filter((candidate) => candidate.group === group)) {
      lines.push(`  ${spellOption(row).padEnd(width)}  ${row.help}`);
    }
  }
  lines.push('', KEYS, STATUS);
  return `${lines.join('\n')}\n`;
}

/** The text of `lguest help OPTION`. */
export function renderOptionHelp(row: OptionRow): string {
  const lines = [`${spellOption(row)}  ${row.help}`];
  if (row.details !== undefined) lines.push('', row.details);
  const facts: string[] = [];
  if (row.default !== undefined) facts.push(`Default: ${row.default}.`);
  if (row.board !== 'all') facts.push(`Board: ${row.board} only.`);
  if (row.aliases !== undefined) facts.push(`Also spelled: ${row.aliases.join(', ')}.`);
  if (row.api !== undefined) facts.push(`In programs: ${row.api.key}: ${row.api.type}.`);
  if (facts.length > 0) lines.push('', ...facts);
  return `${lines.join('\n')}\n`;
}

/** All options as a Markdown page, for the documentation. */
export function renderOptionsPage(): string {
  const lines = ['# Command line', '', '```', ...FORMS.map(([form]) => form), '```', '', KEYS, STATUS];
  for (const group of GROUPS) {
    lines.push('', `## ${group}`);
    for (const row of OPTIONS.filter((candidate) => candidate.group === group)) {
      lines.push('', `### \`${spellOption(row)}\``, `${capitalise(row.help)}.`);
      if (row.details !== undefined)
        lines.push(
          '',
          ...row.details
            .split('\n')
            .flatMap((line) => [line, ''])
            .slice(0, -1),
        );
      if (row.default !== undefined) lines.push('', `Default: ${row.default}.`);
      if (row.aliases !== undefined)
        lines.push('', `Also spelled ${row.aliases.map((alias) => `\`${alias}\``).join(', ')}.`);
      if (row.api !== undefined) lines.push('', `In programs: \`${row.api.key}: ${row.api.type}\`.`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
