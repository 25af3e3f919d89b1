"""Notebooks run, and what a training shows there can be read."""

import os
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]

IN_THE_KERNEL = """
from rich.console import Console
from yolov2_tf.data.image_check import check_images
from yolov2_tf.data.digits.scenes import open_digits
from yolov2_tf.training.detection import DetectionTask
from yolov2_tf.training.fit import train
from yolov2_tf.training.recipes import DetectionRecipe

scenes, _ = check_images(open_digits("train", count=8, size=64))
recipe = DetectionRecipe(
    model="tiny", width=0.05, size=64, epochs=2, batch_size=4, learning_rate=1e-3, anchors=2
)
train(DetectionTask(scenes, scenes), recipe, "run", console=Console())
None
"""


@pytest.fixture
def execute(tmp_path, monkeypatch):
    """Function of a notebook that runs it in `tmp_path` with this checkout and its command."""
    command = tmp_path / "bin" / "yolov2"  # a clone's `.venv/bin` has one; others may have none
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m yolov2_tf.cli "$@"\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(command.parent), prepend=os.pathsep)
    monkeypatch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")

    def execute(notebook):
        resources = {"metadata": {"path": str(tmp_path)}}
        NotebookClient(notebook, timeout=900, kernel_name="python3", resources=resources).execute()
        return notebook

    return execute


def outputs(cell):
    """`(kind, text)` of the outputs of a cell that was run."""
    for output in cell["outputs"]:
        if output["output_type"] == "stream":
            yield output["name"], output["text"]
        else:
            yield "display", output["data"].get("text/plain", "")


def streams(cell):
    return "".join(text for kind, text in outputs(cell) if kind != "display")


def readable(text):
    """Whether a text needs no terminal: no moves of a cursor, no line written over another."""
    return "\x1b" not in text and "\r" not in text.replace("\r\n", "\n")


@pytest.mark.slow
def test_a_training_shows_one_progress(execute):
    cells = [
        nbformat.v4.new_code_cell(IN_THE_KERNEL),
        nbformat.v4.new_code_cell("!yolov2 train digits --split val --hold-out 0 --model tiny "
            "--width 0.05 --size 64 --epochs 1 --batch-size 64 --out typed"),
    ]  # fmt: skip
    in_the_kernel, typed = execute(nbformat.v4.new_notebook(cells=cells))["cells"]
    shown = [text for kind, text in outputs(in_the_kernel) if text.startswith("epoch ")]
    assert len(shown) == 1
    assert [line.split()[1] for line in shown[0].splitlines()] == ["1/2", "2/2"]
    assert streams(in_the_kernel) == ""
    assert readable(streams(typed))
    assert streams(typed).count("epoch   1/1") == 1
    assert "typed/model.keras" in streams(typed)


@pytest.mark.slow
def test_the_tutorial_runs(execute, tmp_path):
    notebook = nbformat.read(ROOT / "docs" / "tutorial.ipynb", as_version=4)
    for cell in execute(notebook)["cells"]:
        if cell["cell_type"] != "code":
            continue
        for kind, text in outputs(cell):
            assert kind != "stderr", text
            assert readable(text), text
    cells = {cell["id"]: cell for cell in notebook["cells"]}
    assert "person" in streams(cells["predict"])
    [training] = [text for _, text in outputs(cells["train_call"]) if text.startswith("epoch ")]
    assert "loss" in training  # a machine that is busy has no time to score
    assert (tmp_path / "runs" / "digits" / "model.keras").is_file()
    for name in ("draw", "history", "run"):
        [picture] = [output for output in cells[name]["outputs"] if "data" in output]
        assert "image/png" in picture["data"]
    [score] = [output for output in cells["evaluate_call"]["outputs"] if "data" in output]
    assert "<table>" in score["data"]["text/html"]
