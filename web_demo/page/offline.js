// Lets the page work without a network once it was loaded: see service-worker.js.

const PATIENCE = 3_000; // milliseconds; a forced reload goes past the service worker

/** Waits until the service worker sees what the page fetches, if the browser has such. */
export async function keepOffline() {
  const workers = navigator.serviceWorker;
  if (!workers) return;
  try {
    await workers.register("service-worker.js");
  } catch {
    return; // private windows of some browsers refuse; all but this works there
  }
  if (workers.controller) return;
  await new Promise((resolve) => {
    workers.addEventListener("controllerchange", resolve, { once: true });
    setTimeout(resolve, PATIENCE);
  });
}
