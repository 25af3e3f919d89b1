// Frames of the camera, the newest only.

import { Unusable } from "./unusable.js";

const WANTED = {
  audio: false,
  video: { facingMode: { ideal: "environment" }, width: { ideal: 1280 }, height: { ideal: 720 } },
};

const REASONS = {
  NotAllowedError: "The camera was not allowed. Allow it in the browser's address bar.",
  NotFoundError: "No camera was found.",
  NotReadableError: "The camera is in use by another program.",
};

export class Camera {
  #video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
  #stream;
  #end;
  #ended = new Promise((resolve) => (this.#end = resolve));

  /** Asks for the camera and starts it. */
  static async open() {
    if (!navigator.mediaDevices) {
      throw new Unusable(
        "Browsers give the camera to pages on localhost or https only. Open this page there.",
      );
    }
    const camera = new Camera();
    try {
      camera.#stream = await navigator.mediaDevices.getUserMedia(WANTED);
      camera.#stream.getTracks().forEach((track) => track.addEventListener("ended", camera.#end));
      camera.#video.srcObject = camera.#stream;
      await camera.#video.play();
    } catch (error) {
      camera.close();
      throw new Unusable(REASONS[error.name] ?? `The camera did not start: ${error.message}.`);
    }
    return camera;
  }

  /**
   * Waits for a frame that was not seen yet; those that came in between are dropped.
   *
   * @returns {Promise<ImageBitmap|null>} Null when the camera was closed or unplugged.
   */
  async frame() {
    const next = new Promise((resolve) => {
      if (this.#video.requestVideoFrameCallback) this.#video.requestVideoFrameCallback(resolve);
      else requestAnimationFrame(resolve);
    });
    await Promise.race([next, this.#ended]);
    return this.#stream?.active ? createImageBitmap(this.#video) : null;
  }

  close() {
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#stream = undefined;
    this.#video.srcObject = null;
    this.#end();
  }
}
