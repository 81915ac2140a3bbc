// Lets the page of a door open again without network. It answers for nothing but that page, its scripts and its styles,
// and keeps nothing itself: what is on the shelf was put there by the page (door.js), and names nobody.
"use strict";

const SHELF = "door";
const AS_PATH = { ignoreSearch: true, ignoreVary: true };
const PATIENCE = 8000; // ms, as long as the page waits for each of its calls
const isDoor = (request) => request.mode === "navigate" && /^\/door\/\d+\/$/.test(new URL(request.url).pathname);
const isFile = (request) => new URL(request.url).pathname.startsWith("/static/");

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method === "GET" && (isDoor(request) || isFile(request))) event.respondWith(answer(request));
});

async function answer(request) {
  const network = fetch(request);
  const late = new Promise((resolve, reject) => setTimeout(reject, PATIENCE));
  try {
    const response = await Promise.race([network, late]);
    if (response.status < 500) {
      if (isDoor(request) && isClosed(response)) await forget(request);
      return response;
    }
  } catch (error) {
    // no network, or one that does not answer
  }
  return (await kept(request)) || network;
}

// Whoever is sent away, to log in or for good, finds the page no more, not even without network.
const isClosed = (response) => response.type === "opaqueredirect" || [403, 404].includes(response.status);

const kept = async (request) => (await caches.open(SHELF)).match(request, AS_PATH);
const forget = async (request) => (await caches.open(SHELF)).delete(request, AS_PATH);
