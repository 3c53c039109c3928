import { spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, extname, join, normalize } from 'node:path';

/** A Chromium without a window, and the page that it is shown. */

/** WebAssembly may be compiled, text may not be made code; nothing comes from elsewhere. */
const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";

const PAGE = '<!doctype html><title>lguest</title><script type="module" src="/dist/test/platforms/page.js"></script>';

const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.map': 'application/json' };

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The browser that LGUEST_BROWSER names, or one in the PATH. */
export function findBrowser(): string | undefined {
  const named = process.env['LGUEST_BROWSER'];
  if (named !== undefined) return named;
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Shows `browser` the test's page and returns what the page says, parsed. */
export async function askBrowser(browser: string): Promise<unknown> {
  let resolve: (answer: unknown) => void;
  let reject: (error: Error) => void;
  const answer = new Promise<unknown>((yes, no) => {
    [resolve, reject] = [yes, no];
  });
  const server = createServer((request, response) => serve(request, response, (text) => resolve(JSON.parse(text))));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const profile = mkdtempSync(join(tmpdir(), 'lguest-browser-'));
  const child = spawn(browser, [...flags(profile), `http://127.0.0.1:${port}/`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.on('error', (error) => reject(error));
  const closed = new Promise<void>((resolve) => child.on('close', () => resolve()));
  void closed.then(() => reject(new Error(`the browser ended without an answer: ${said.slice(-2000)}`)));
  try {
    return await answer;
  } finally {
    child.kill();
    await closed;
    server.closeAllConnections();
    server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

function flags(profile: string): string[] {
  return [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--disable-dev-shm-usage',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    `--user-data-dir=${profile}`,
  ];
}

function serve(request: IncomingMessage, response: ServerResponse, answered: (text: string) => void): void {
  const path = normalize(new URL(request.url ?? '/', 'http://localhost').pathname);
  const reply = (status: number, type: string, body: string | Buffer): void => {
    response.writeHead(status, { 'Content-Type': type, 'Content-Security-Policy': POLICY }).end(body);
  };
  if (request.method === 'POST') {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      reply(204, 'text/plain', '');
      answered(body);
    });
    return;
  }
  if (path === '/') {
    reply(200, 'text/html', PAGE);
    return;
  }
  const type = TYPES[extname(path)];
  try {
    if (type === undefined || !path.startsWith('/dist/')) throw new Error('nothing else is served');
    reply(200, type, readFileSync(join(process.cwd(), path)));
  } catch {
    reply(404, 'text/plain', '');
  }
}
