// Keeps a copy of all that was fetched. The network comes first, so that nobody sees an old page.
"use strict";

const CACHE = "yolov2-demo";
const PAGE = [
  "./",
  "app.js",
  "archive.js",
  "camera.js",
  "detector.js",
  "engine.js",
  "icon.svg",
  "layout.js",
  "network.js",
  "offline.js",
  "picture.js",
  "resize.js",
  "style.css",
  "suppression.js",
  "unusable.js",
  "view.js",
  "worker.js",
];

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(PAGE)));
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== self.location.origin) return;
  event.respondWith(newest(event));
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
