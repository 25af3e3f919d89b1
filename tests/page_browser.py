"""Debian's Chromium with one page, steered by playwright-core."""

import base64
import json
import queue
import threading
from pathlib import Path

import numpy as np

from yolov2_tf.data.images import load_image

SCREENSHOTS = Path(__file__).resolve().parents[1] / "build" / "web"
PATIENCE = 120  # seconds, for a machine that is busy with other things


class Browser:
    """A Chromium with one page."""

    def __init__(self, process):
        self._process = process
        self._answers = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        for line in self._process.stdout:
            self._answers.put(json.loads(line))
        self._answers.put({"error": "the browser ended"})

    def __call__(self, call, *arguments):
        """Calls a method of Playwright's, e.g. `browser("page.click", "#camera")`."""
        print(json.dumps({"call": call, "arguments": arguments}), file=self._process.stdin)
        self._process.stdin.flush()
        answer = self._answers.get(timeout=PATIENCE + 10)
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer["value"]

    def run(self, script):
        """The value of a JavaScript expression."""
        return self("page.evaluate", script)

    def wait(self, expression):
        """Waits until a JavaScript expression is true."""
        self("page.waitForFunction", expression, None, {"timeout": PATIENCE * 1000})

    def wait_for_words(self, *words):
        """Waits until the status line, which screen readers read, holds one of these words."""
        told = "document.getElementById('status').textContent"
        self.wait(" || ".join(f"{told}.includes({json.dumps(word)})" for word in words))

    def open(self, url):
        """Opens the page, as if for the first time."""
        self.begin(url)
        self.wait_for_words("Ready")

    def begin(self, url, **options):
        """Goes to a page in a fresh window, with options of Playwright's contexts."""
        self._url = url
        self("test.begin", options)
        self("page.goto", url, {"timeout": PATIENCE * 1000})

    def drop(self, path):
        """Drops a file onto the page, as people do with the mouse."""
        content = base64.b64encode(Path(path).read_bytes()).decode()
        self.run(
            f"""(() => {{
                const bytes = Uint8Array.from(atob("{content}"), (c) => c.charCodeAt(0));
                const dataTransfer = new DataTransfer();
                dataTransfer.items.add(new File([bytes], "{Path(path).name}"));
                const target = document.getElementById("drop");
                const how = {{ dataTransfer, bubbles: true, cancelable: true }};
                target.dispatchEvent(new DragEvent("dragover", how));
                target.dispatchEvent(new DragEvent("drop", how));
            }})()"""
        )

    def state(self):
        """What is on the screen at one moment.

        Returns:
            Dict of `pixels` `(H, W, 3)`, the picture; `boxes` `(n, 4)`, `labels` and `scores`, as
            listed; `drawn` `(n, 4)`, the boxes as they lie over the picture, and their `tags`.
        """
        state = self.run(
            """(() => {
                const canvas = document.getElementById("canvas");
                const on = canvas.getBoundingClientRect();
                const drawn = [...document.querySelectorAll(".box")].reverse().map((box) => {
                    const at = box.getBoundingClientRect();
                    return [
                        (at.top - on.top) / on.height, (at.left - on.left) / on.width,
                        (at.bottom - on.top) / on.height, (at.right - on.left) / on.width,
                    ];
                });
                const items = [...document.querySelectorAll("#found li")];
                const tags = [...document.querySelectorAll(".tag")].reverse();
                return {
                    picture: canvas.toDataURL("image/png").split(",")[1],
                    found: items.map((item) => ({...item.dataset})),
                    drawn,
                    tags: tags.map((tag) => tag.textContent),
                };
            })()"""
        )
        found = state["found"]
        return {
            "pixels": load_image(base64.b64decode(state["picture"])),
            "boxes": np.array([f["box"].split() for f in found], np.float64).reshape(-1, 4),
            "labels": np.array([f["label"] for f in found], int),
            "scores": np.array([f["score"] for f in found], float),
            "drawn": np.array(state["drawn"], np.float64).reshape(-1, 4),
            "tags": state["tags"],
        }

    def text(self, name):
        """The words of an element."""
        return self.run(f"document.getElementById('{name}').textContent")

    def alert(self):
        """The message on the screen, None where there is none."""
        return self.run(
            "(a => a.checkVisibility() ? a.textContent : null)(document.getElementById('alert'))"
        )

    def saved(self, button):
        """Presses a button that saves a file.

        Returns:
            Its name, and its bytes.
        """
        name, content = self.run(
            f"""new Promise((resolve) => {{
                const click = HTMLAnchorElement.prototype.click;
                HTMLAnchorElement.prototype.click = async function () {{
                    HTMLAnchorElement.prototype.click = click;
                    const bytes = new Uint8Array(await (await fetch(this.href)).arrayBuffer());
                    const text = bytes.reduce((all, byte) => all + String.fromCharCode(byte), "");
                    resolve([this.download, btoa(text)]);
                }};
                document.getElementById("{button}").click();
            }})"""
        )
        return name, base64.b64decode(content)

    def screenshot(self, name, **options):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self("page.screenshot", {"path": str(SCREENSHOTS / f"{name}.png"), **options})

    def check_quiet(self, *, failed_requests=False):
        """Nothing went wrong out of sight, and nothing was asked of other servers."""
        seen = self("test.seen")
        assert seen["errors"] == []
        errors = [text for kind, text in seen["console"] if kind == "error"]
        # Of requests that fail the browser itself complains.
        assert [e for e in errors if not (failed_requests and "Failed to load" in e)] == []
        others = [
            url for url in seen["requests"] if not url.startswith((self._url, "blob:", "data:"))
        ]
        assert others == []
