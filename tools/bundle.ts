/**
 * Puts all modules that a script loads into one file: to find and load each of them alone costs Node a millisecond, and
 * there are hundreds. This understands what tsc makes of the sources of this repository, and refuses the rest.
 *
 * A module becomes a function that runs once and returns what the module exports, in the order in which it would have
 * been evaluated; so modules must not import each other in circles.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';

// tsc begins each of these on a line of its own, and ends it with a semicolon.
const IMPORT = /^import (?:\{([^}]*)\}|\* as ([\w$]+)|([\w$]+)) from '([^']+)';$/gm;
const REEXPORT = /^export (?:\{([^}]*)\}|\*) from '([^']+)';$/gm;
const EXPORT_LIST = /^export \{([^}]*)\};$/gm;
const EXPORTED = /^export (?=(?:async function|function|class|const)\b\*? ?([\w$]+))/gm;
const UNPACKED = /^export (?=const \{([^}]*)\} =)/gm;
const DYNAMIC_IMPORT = /\bimport\('(\.[^']+)'\)/g;
const SCRIPT_URL = /new URL\('(\.[^']+\.js)', import\.meta\.url\)/g;

/** `a, b as c` as pairs of the name inside and the name outside. */
function parseNames(list: string): [string, string][] {
  return list
    .split(',')
    .map((item) => item.trim().split(' as ') as [string, string?])
    .filter(([name]) => name !== '')
    .map(([name, alias]) => [name, alias ?? name]);
}

/** Writes `script`, an absolute path, with all it imports to `folder`, and the scripts that it starts by URL, but for those `done`. */
export function writeBundle(script: string, folder: string, done = new Set<string>()): void {
  if (done.has(script)) return;
  done.add(script);
  const imports: string[] = [];
  const modules: string[] = [];
  /** Variable that holds the exports, by path or name of a built-in module; undefined while it is being added. */
  const variables = new Map<string, string | undefined>();
  const scripts = new Set<string>();

  /** What the module that was added last exports. */
  let exported = '';
  let count = 0;
  const nextVariable = (): string => `$${count++}`;

  function addModule(path: string): string {
    const names: string[] = [];
    const spreads: string[] = [];
    const text = readFileSync(path, 'utf8')
      .replace(/\n\/\/# sourceMappingURL=.*/, '')
      .replace(IMPORT, (_, list: string | undefined, space: string | undefined, single: string, from: string) => {
        const module = variableOf(path, from);
        if (list === undefined) return `const ${space ?? single} = ${module}${space ? '' : '.default'};`;
        const pairs = parseNames(list).map(([name, alias]) => (name === alias ? name : `${name}: ${alias}`));
        return `const { ${pairs.join(', ')} } = ${module};`;
      })
      .replace(REEXPORT, (_, list: string | undefined, from: string) => {
        const module = variableOf(path, from);
        if (list === undefined) spreads.push(module);
        else for (const [name, alias] of parseNames(list)) names.push(`${alias}: ${module}.${name}`);
        return '';
      })
      .replace(EXPORT_LIST, (_, list: string) => {
        for (const [name, alias] of parseNames(list)) names.push(`${alias}: ${name}`);
        return '';
      })
      .replace(EXPORTED, (_, name: string) => {
        names.push(name);
        return '';
      })
      .replace(UNPACKED, (_, list: string) => {
        for (const item of list.split(',')) names.push(item.trim().split(': ').at(-1)!);
        return '';
      })
      .replace(DYNAMIC_IMPORT, (_, from: string) => `Promise.resolve(${variableOf(path, from)})`)
      .replace(SCRIPT_URL, (_, from: string) => {
        scripts.add(resolve(dirname(path), from));
        return `new URL('./${basename(from)}', $url)`;
      })
      .replaceAll('import.meta.url', () => `new URL('${relative(folder, path).split(sep).join('/')}', $url).href`);
    const rest = /^(?:import|export)\b.*/m.exec(text);
    if (rest) throw new Error(`${path}: no bundle can be made with '${rest[0]}'`);
    exported = [...spreads.map((module) => `...${module}`), ...names].join(', ');
    const variable = nextVariable();
    modules.push(`const ${variable} = (() => {\n${text}\nreturn { ${exported} };\n})();`);
    return variable;
  }

  function variableOf(importer: string, from: string): string {
    const path = from.startsWith('.') ? resolve(dirname(importer), from) : from;
    if (variables.has(path)) {
      const known = variables.get(path);
      if (known === undefined) throw new Error(`${path} imports itself by way of others`);
      return known;
    }
    variables.set(path, undefined);
    let variable: string;
    if (from.startsWith('.')) variable = addModule(path);
    else {
      variable = nextVariable();
      imports.push(`import * as ${variable} from '${from}';`);
    }
    variables.set(path, variable);
    return variable;
  }

  const last = addModule(script);
  const ending = `export const { ${exported} } = ${last};`;
  const text = [...imports, 'const $url = import.meta.url;', ...modules, ending, ''].join('\n');
  writeFileSync(join(folder, basename(script)), text);
  for (const other of scripts) writeBundle(other, folder, done);
}
