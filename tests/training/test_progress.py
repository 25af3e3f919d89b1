"""What people see of a training: a bar in terminals, one output that changes in notebooks."""

import io
import re

import pytest
from rich.console import Console

from yolov2_tf.training.progress import (
    Figures,
    NotebookDisplay,
    Progress,
    TerminalDisplay,
    display_on,
    tell,
)

FIGURES = Figures(live=("IoU", "iou"), parts=(("box", "box"),), scores=(("mAP", "val_map"),))


def train(display, epochs=2, steps=3):
    """Calls the hooks of a training whose second epoch is scored."""
    progress = Progress(4, display, FIGURES)
    progress.set_params({"epochs": epochs, "steps": steps})
    progress.on_train_begin()
    for epoch in range(epochs):
        progress.on_epoch_begin(epoch)
        for step in range(steps):
            progress.on_train_batch_end(step, {"loss": 2.0, "iou": 0.5})
        logs = {"loss": 2.0, "iou": 0.5, "box": 1.0, "images_per_second": 9.0}
        progress.on_epoch_end(epoch, {**logs, "val_map": 0.25} if epoch else logs)
    progress.on_train_end()
    progress.close()  # as `train` does, however it ended


class Output:
    """The output of a cell: all that it was."""

    def __init__(self, monkeypatch):
        import IPython.display

        self.contents, self.displays = [], 0
        monkeypatch.setattr(IPython.display, "display", self.display)

    def display(self, content, raw, display_id):
        assert raw
        assert display_id is True
        self.displays += 1
        self.contents.append(content)
        return self

    def update(self, content, raw):
        assert raw
        self.contents.append(content)


@pytest.fixture
def output(monkeypatch):
    return Output(monkeypatch)


def test_a_notebook_shows_one_output_that_ends_as_lines(output):
    times = iter(range(1000))
    train(NotebookDisplay(now=lambda: next(times)))
    assert output.displays == 1
    bars = [re.search(r'max="3" value="(\d)"', c["text/html"]) for c in output.contents]
    assert [bar[1] for bar in bars if bar] == [*"0123", *"0123"]
    plain = output.contents[-1]["text/plain"].splitlines()
    assert plain == [
        "epoch   1/2  9.0 img/s  loss 2.000 (box 1.000)",
        "epoch   2/2  9.0 img/s  loss 2.000 (box 1.000)  mAP 0.250",
    ]
    html = output.contents[-1]["text/html"]
    assert "<b>mAP 0.250</b>" in html
    assert "loss\u00a02.000" in html  # where a line is broken, a figure stays with its name
    assert "<progress" not in html


def test_a_notebook_is_not_flooded(output):
    train(NotebookDisplay(now=lambda: 0.0), epochs=1, steps=1000)
    assert len(output.contents) < 10
    output.contents.clear()
    train(NotebookDisplay(now=lambda: 0.0), epochs=80, steps=1)
    plain = output.contents[-1]["text/plain"].splitlines()
    assert plain[0] == "… 30 epochs before"
    assert len(plain) == 51


def test_an_output_that_is_gone_ends_no_training(output, monkeypatch):
    def fail(content, raw):
        raise ConnectionError

    monkeypatch.setattr(output, "update", fail)
    train(NotebookDisplay())


def test_what_is_shown_is_text(output):
    display = NotebookDisplay()
    display.open()
    display.epoch("1/1", 2)
    display.step(1, "<b>")
    display.line("<i>", "<u>")
    display.close()
    for content in output.contents:
        assert not re.search("<[biu]>(?!&lt;u)", content["text/html"])


@pytest.mark.parametrize("terminal", [False, True])
def test_a_bar_moves_in_terminals_only(terminal):
    text = io.StringIO()
    console = Console(file=text, force_terminal=terminal, width=100, _environ={"TERM": "xterm"})
    train(TerminalDisplay(console))
    lines = re.findall(r"epoch   \d/2  9.0 img/s", text.getvalue())
    assert lines == ["epoch   1/2  9.0 img/s", "epoch   2/2  9.0 img/s"]
    assert ("\x1b" in text.getvalue()) == terminal
    if not terminal:
        assert text.getvalue().count("\n") == 2


@pytest.mark.parametrize("name", ["a[/b]", "[old]", "[red]x", ":cat:"])
def test_no_line_is_markup_on_an_ordinary_console(name):
    text = io.StringIO()
    console = Console(file=text, force_terminal=True, width=100, _environ={"TERM": "xterm"})
    tell(None, name)
    tell(console, f"told {name}")
    display = TerminalDisplay(console)
    display.open()
    display.epoch("1/1", 2)
    display.step(1, f"at {name}")
    display.line(f"line {name}", f"score {name}")
    display.close()
    assert f"told {name}\n" in text.getvalue()
    assert f"at {name}" in text.getvalue()
    assert f"line {name}  \x1b[1mscore {name}\x1b[0m\n" in text.getvalue()


def test_the_display_is_that_of_the_console():
    assert isinstance(display_on(Console(force_jupyter=True)), NotebookDisplay)
    assert isinstance(display_on(Console(force_jupyter=False)), TerminalDisplay)
