"""What people see of a training while it runs."""

import contextlib
import time
from html import escape
from typing import NamedTuple

import keras

from yolov2_tf.training.recipes import UNLIMITED


class Figures(NamedTuple):
    """Which logs `Progress` shows. Each is `(name shown, key in the logs)`.

    Attributes:
        live: Beside the loss in the bar.
        parts: Behind the loss of an epoch.
        scores: At the end of an epoch's line, where they were measured.
    """

    live: tuple[str, str]
    parts: tuple[tuple[str, str], ...]
    scores: tuple[tuple[str, str], ...]


DETECTION_FIGURES = Figures(
    live=("IoU", "average_iou"),
    parts=(
        ("box", "loss_box"),
        ("obj", "loss_objectness"),
        ("noobj", "loss_no_objectness"),
        ("class", "loss_class"),
        ("IoU", "average_iou"),
        ("recall", "recall"),
    ),
    scores=(("mAP", "val_map"),),
)


class Progress(keras.callbacks.Callback):
    """A bar for the epoch and one line for each that is over.

    Args:
        batch_size: For the figure of images per second.
        display: `TerminalDisplay` or `NotebookDisplay`.
        figures: `Figures` to show.
    """

    def __init__(self, batch_size, display, figures=DETECTION_FIGURES):
        super().__init__()
        self.batch_size = batch_size
        self.display = display
        self.figures = figures

    def on_train_begin(self, logs=None):
        """Keras' hook."""
        self.display.open()

    def on_epoch_begin(self, epoch, logs=None):
        """Keras' hook."""
        self.display.epoch(f"{epoch + 1}/{self._epochs}", self.params["steps"])
        self._start, self._steps = time.perf_counter(), 0

    def on_train_batch_end(self, batch, logs=None):
        """Keras' hook."""
        self._steps += 1
        rate = self._steps * self.batch_size / (time.perf_counter() - self._start)
        name, key = self.figures.live
        self.display.step(
            batch + 1, f"{rate:.1f} img/s  loss {logs['loss']:.2f}  {name} {logs[key]:.2f}"
        )

    def on_epoch_end(self, epoch, logs=None):
        """Keras' hook."""
        parts = "  ".join(f"{name} {logs[key]:.3f}" for name, key in self.figures.parts)
        scores = [f"{name} {logs[key]:.3f}" for name, key in self.figures.scores if key in logs]
        self.display.line(
            f"epoch {epoch + 1:>3}/{self._epochs}  {logs['images_per_second']:.1f} img/s  "
            f"loss {logs['loss']:.3f} ({parts})",
            "  ".join(scores),
        )

    def on_train_end(self, logs=None):
        """Keras' hook."""
        self.close()

    def close(self):
        """Takes the bar away, however the training ended."""
        self.display.close()

    @property
    def _epochs(self):
        """The number of epochs as text, `?` where only the time will tell."""
        return "?" if self.params["epochs"] >= UNLIMITED else str(self.params["epochs"])


def display_on(console):
    """Where progress is to be seen.

    Args:
        console: `rich.console.Console`.

    Returns:
        `NotebookDisplay` if the console prints into a notebook, else `TerminalDisplay`.
    """
    return NotebookDisplay() if console.is_jupyter else TerminalDisplay(console)


class TerminalDisplay:
    """A bar that moves where the console is a terminal; the lines anywhere.

    Args:
        console: `rich.console.Console`.
    """

    def __init__(self, console):
        self.console = console
        self._bar = self._task = None

    def open(self):
        """Begins."""
        from rich import progress

        self._bar = progress.Progress(
            progress.TextColumn("epoch {task.fields[epoch]}"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TextColumn("{task.fields[figures]}", markup=False),
            progress.TimeElapsedColumn(),
            progress.TextColumn("left"),
            progress.TimeRemainingColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_interactive,
        )
        self._bar.start()

    def epoch(self, name, steps):
        """An epoch of so many steps begins."""
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task("", total=steps, epoch=name, figures="")

    def step(self, done, figures):
        """So many steps of the epoch are done."""
        self._bar.update(self._task, completed=done, figures=figures)

    def line(self, text, scores):
        """An epoch is over."""
        from rich.text import Text

        line = Text(text)
        if scores:
            line.append("  ").append(scores, "bold")
        self.console.print(line, soft_wrap=True)

    def close(self):
        """Takes the bar away; twice is once."""
        if self._bar is not None:
            self._bar.stop()


class NotebookDisplay:
    """One output of a cell, changed in place: what terminals do with a cursor, notebooks cannot.

    Args:
        now: Function that tells the time in seconds.
    """

    EVERY = 0.5
    """Seconds between two changes: each one is a message to the browser."""

    LINES = 50
    """Lines that are shown; `history.csv` has all of them."""

    def __init__(self, now=time.monotonic):
        self.now = now
        self._lines, self._handle = [], None
        self._name, self._steps, self._done, self._figures = "", 0, 0, ""
        self._shown = -float("inf")

    def open(self):
        """Begins."""
        from IPython.display import display

        self._handle = display(self._content(), raw=True, display_id=True)

    def epoch(self, name, steps):
        """An epoch of so many steps begins."""
        self._name, self._steps, self._done, self._figures = name, steps, 0, ""
        self._show()

    def step(self, done, figures):
        """So many steps of the epoch are done."""
        self._done, self._figures = done, figures
        if self.now() - self._shown >= self.EVERY:
            self._show()

    def line(self, text, scores):
        """An epoch is over."""
        self._lines.append((text, scores))
        self._name = ""
        self._show()

    def close(self):
        """Takes the bar away; twice is once."""
        if self._handle is not None:
            self._name = ""
            self._show()
            self._handle = None

    def _show(self):
        self._shown = self.now()
        with contextlib.suppress(Exception):  # a browser that is gone ends no training
            self._handle.update(self._content(), raw=True)

    def _content(self):
        """The output as text and as HTML, for whoever shows it."""
        plain, rich = [], []
        if len(self._lines) > self.LINES:
            plain.append(f"… {len(self._lines) - self.LINES} epochs before")
            rich.append(plain[0])
        for text, scores in self._lines[-self.LINES :]:
            plain.append(f"{text}  {scores}".rstrip())
            line = "  ".join(part.replace(" ", "\u00a0") for part in text.split("  "))
            rich.append(escape(line) + (f"  <b>{escape(scores)}</b>" if scores else ""))
        if self._name:
            now = f"{self._done}/{self._steps}  {self._figures}".rstrip()
            plain.append(f"epoch {self._name}  {now}")
            bar = f'<progress max="{self._steps}" value="{self._done}"></progress>'
            rich.append(f"epoch {escape(self._name)}  {bar}  {escape(now)}")
        # Jupyter would break lines anywhere; so they break between figures.
        html = f'<pre style="white-space: pre-wrap; word-break: normal">{chr(10).join(rich)}</pre>'
        return {"text/plain": "\n".join(plain), "text/html": html}


def tell(console, text):
    """Prints a line on a `rich.console.Console`, if there is one; it is no markup."""
    if console is not None:
        console.print(text, highlight=False, markup=False, emoji=False, soft_wrap=True)
