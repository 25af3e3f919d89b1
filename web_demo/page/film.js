// Moving pictures, the newest only: the camera, and video files.

import { Unusable } from "./unusable.js";

const REASONS = {
  NotAllowedError: "The camera was not allowed. Allow it in the browser's address bar.",
  NotFoundError: "No camera was found.",
  NotReadableError: "The camera is in use by another program.",
  OverconstrainedError: "This camera is no longer there.",
};

export class Film {
  #video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
  #stream;
  #url;
  #running = true;
  #end;
  #ended = new Promise((resolve) => (this.#end = resolve));

  /**
   * Asks for a camera and starts it.
   *
   * @param {string} [id] Which one, as `cameras` names them; else one that looks away from people.
   */
  static async openCamera(id) {
    if (!navigator.mediaDevices) {
      throw new Unusable(
        "Browsers give the camera to pages on localhost or https only. Open this page there.",
      );
    }
    const film = new Film();
    film.name = "camera";
    const which = id ? { deviceId: { exact: id } } : { facingMode: { ideal: "environment" } };
    const video = { ...which, width: { ideal: 1280 }, height: { ideal: 720 } };
    try {
      film.#stream = await navigator.mediaDevices.getUserMedia({ audio: false, video });
      for (const track of film.#stream.getTracks()) {
        track.addEventListener("ended", () => film.#stop());
        film.camera = track.getSettings().deviceId;
      }
      film.#video.srcObject = film.#stream;
      await film.#video.play();
    } catch (error) {
      film.close();
      console.warn(error);
      throw new Unusable(REASONS[error.name] ?? "The camera did not start.");
    }
    return film;
  }

  /**
   * Plays a video file, once.
   *
   * @param {File} file
   */
  static async openFile(file) {
    const film = new Film();
    film.name = file.name || "video";
    film.#url = URL.createObjectURL(file);
    film.#video.addEventListener("ended", () => film.#stop());
    film.#video.src = film.#url;
    try {
      await film.#video.play();
      if (!film.#video.videoWidth) throw new Error("no picture in it");
    } catch (error) {
      film.close();
      console.warn(error);
      throw new Unusable(
        `“${film.name}” is not a video that this browser can play. MP4 (H.264) and WebM are fine.`,
      );
    }
    return film;
  }

  /**
   * Waits for a frame that was not seen yet; those that came in between are dropped.
   *
   * @returns {Promise<ImageBitmap|null>} Null when it ended, was closed or unplugged.
   */
  async frame() {
    const next = new Promise((resolve) => {
      if (this.#video.requestVideoFrameCallback) this.#video.requestVideoFrameCallback(resolve);
      else requestAnimationFrame(resolve);
    });
    await Promise.race([next, this.#ended]);
    return this.#running ? createImageBitmap(this.#video) : null;
  }

  close() {
    this.#stop();
    this.#video.pause();
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#video.srcObject = null;
    if (this.#url) {
      this.#video.removeAttribute("src");
      URL.revokeObjectURL(this.#url);
    }
  }

  #stop() {
    this.#running = false;
    this.#end();
  }
}

/** The cameras, `{id, name}`; browsers name them once one was allowed. */
export async function cameras() {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return devices
    .filter(({ kind, deviceId }) => kind === "videoinput" && deviceId)
    .map(({ deviceId, label }, i) => ({ id: deviceId, name: label || `Camera ${i + 1}` }));
}
