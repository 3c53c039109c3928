/** The script of the test's page: starts a worker and hands its answer to the server. */

interface BrowserWorker {
  onmessage: (event: { data: unknown }) => void;
  onerror: (event: { message?: string }) => void;
}
declare const Worker: new (url: URL, options: { type: 'module' }) => BrowserWorker;

function report(answer: unknown): void {
  void fetch('/answer', { method: 'POST', body: JSON.stringify(answer) });
}

const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
worker.onmessage = ({ data }) => report(data);
worker.onerror = ({ message }) => report({ failure: message ?? 'the worker could not be started' });
