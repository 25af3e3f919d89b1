// Lets the page work without a network once it was loaded, and gives it threads on any server: see
// service-worker.js.

const PATIENCE = 3_000; // milliseconds; a forced reload goes past the service worker
const TRIED = "yolov2-isolated";

/**
 * Waits until the service worker sees what the page fetches, if the browser has such.
 *
 * @returns {Promise<boolean>} False where the page is about to be loaded anew, by way of the service
 *     worker: only then does it have the headers that threads need.
 */
export async function keepOffline() {
  const workers = navigator.serviceWorker;
  if (!workers) return true;
  try {
    await workers.register("service-worker.js");
  } catch {
    return true; // private windows of some browsers refuse; all but this works there
  }
  if (!workers.controller) {
    await new Promise((resolve) => {
      workers.addEventListener("controllerchange", resolve, { once: true });
      setTimeout(resolve, PATIENCE);
    });
  }
  if (crossOriginIsolated || !workers.controller || sessionStorage.getItem(TRIED)) return true;
  sessionStorage.setItem(TRIED, "yes"); // once: some browsers have no isolation
  location.reload();
  return false;
}
