// Files that lie compressed on the server, so that any server sends little.

import { Unusable } from "./unusable.js";

const GZIP = [0x1f, 0x8b];

/**
 * Fetches a file.
 *
 * @param {URL|string} url
 * @returns {Promise<Response>}
 * @throws {Unusable} If it is not there.
 */
export async function fetched(url) {
  const response = await fetch(url).catch(() => null);
  if (response?.ok) return response;
  const name = new URL(url, self.location).pathname.split("/").pop();
  throw new Unusable(
    `${name} could not be fetched (${response?.status ?? "no connection"}). ` +
      "A part of this page is missing on its server, or the connection was lost.",
  );
}

/**
 * Fetches a file that gzip compressed, and unpacks it.
 *
 * @param {URL|string} url
 * @returns {Promise<Uint8Array>}
 */
export async function unpacked(url) {
  const bytes = new Uint8Array(await (await fetched(url)).arrayBuffer());
  // Some servers say of such files how they are compressed: the browser has unpacked them then.
  if (!GZIP.every((byte, i) => bytes[i] === byte)) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  try {
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch {
    throw new Unusable(`${new URL(url, self.location).pathname} is damaged on the page's server.`);
  }
}
