// Keeps a copy of all that was fetched. The network comes first, so that nobody sees an old page.
// And adds the headers without which pages get no threads, where a server cannot send them.
"use strict";

const CACHE = "yolov2-demo";
const PAGE = [
  "./",
  "app.js",
  "archive.js",
  "benchmark.js",
  "classes.js",
  "detector.js",
  "engine.js",
  "files.js",
  "film.js",
  "icon.svg",
  "layout.js",
  "network.js",
  "offline.js",
  "packed.js",
  "picture.js",
  "resize.js",
  "results.js",
  "saving.js",
  "start.js",
  "style.css",
  "suppression.js",
  "unusable.js",
  "view.js",
  "worker.js",
];
const ISOLATION = [
  ["Cross-Origin-Opener-Policy", "same-origin"],
  ["Cross-Origin-Embedder-Policy", "require-corp"],
];

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(PAGE)));
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== self.location.origin) return;
  event.respondWith(newest(event).then(isolated));
});

async function newest(event) {
  const cache = await caches.open(CACHE);
  try {
    const response = await fetch(event.request);
    if (response.ok) event.waitUntil(cache.put(event.request, response.clone()));
    return response;
  } catch {
    return (await cache.match(event.request, { ignoreSearch: true })) ?? Response.error();
  }
}

/** The same answer with the headers of an isolated page. */
function isolated(response) {
  if (!response.status) return response; // failed, or left to the browser to redirect
  const headers = new Headers(response.headers);
  for (const [name, value] of ISOLATION) headers.set(name, value);
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}
