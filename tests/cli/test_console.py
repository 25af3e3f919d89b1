"""Names with brackets and colons are printed as they are, whatever they mean to Rich."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image
from rich.progress import Progress, TextColumn
from rich.table import Table
from rich.tree import Tree

import yolov2_tf
from yolov2_tf.cli import report
from yolov2_tf.cli.console import make_console, remark
from yolov2_tf.cli.parsing import model_file, print_notes
from yolov2_tf.data.source import open_dataset
from yolov2_tf.errors import InputError

ODD = ("a[/b]", "cat[old]", "[red]x", "[bold]y[/bold]", "\\[z]", "a:cat:b", "[/]", "[@click=1]q")
ODD_NAMES = st.one_of(st.sampled_from(ODD), st.text("[]/\\:@=#abredolt", min_size=1, max_size=12))


def shown(print_on, **options):
    """What a function prints on a console of the commands."""
    console = make_console(file=io.StringIO(), width=300, **options)
    print_on(console)
    return console.file.getvalue()


@settings(max_examples=100)
@given(ODD_NAMES)
@example("[red]x")
def test_text_stays_as_it_is(name):
    assert shown(lambda console: console.print(name)) == f"{name}\n"
    assert shown(lambda console: remark(console, "note", name)) == f"note: {name}\n"
    assert shown(lambda console: print_notes([name], console)) == f"note: {name}\n"


@settings(max_examples=50)
@given(ODD_NAMES)
def test_tables_and_trees_show_names(name):
    def table(console):
        table = Table(name, title=f"title {name}", caption=f"caption {name}", show_footer=True)
        table.columns[0].footer = f"footer {name}"
        table.add_row(f"cell {name}")
        console.print(table)

    text = shown(table)
    for what in ("title", "caption", "footer", "cell"):
        assert f"{what} {name}" in text
    assert text.count(name) >= 5
    assert shown(lambda console: console.print(Tree(name))) == f"{name}\n"


def test_what_is_printed_beside_a_bar_is_text():
    def work(console):
        with Progress(TextColumn("bar"), console=console):
            remark(console, "skipped", "a[/b] [red]x")

    assert "skipped: a[/b] [red]x" in shown(work)


def test_the_bar_of_a_download_shows_its_file(monkeypatch):
    def model_path(model, progress):
        progress("net[/b].weights", 1, 2)
        return model

    monkeypatch.setattr("yolov2_tf.zoo.names.model_path", model_path)
    terminal = {"force_terminal": True, "_environ": {"TERM": "xterm"}}
    assert "net[/b].weights" in shown(lambda c: model_file("m", c), **terminal)


def test_styles_show_in_terminals():
    text = shown(
        lambda console: remark(console, "note", "[red]x"),
        force_terminal=True,
        color_system="standard",
    )
    assert text == "\x1b[33mnote:\x1b[0m [red]x\n"


@pytest.mark.parametrize("name", ODD)
def test_an_error_shows_all_of_it(name, capsys):
    report(InputError(f"what {name}", where=f"at {name}", expected=f"as {name}", hint=f"do {name}"))
    said = capsys.readouterr().err
    for word in ("what", "at", "as", "do"):
        assert f"{word} {name}" in said


def test_consoles_are_made_in_one_place():
    package = Path(yolov2_tf.__file__).parent
    made = [
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if re.search(r"\bConsole\(", path.read_text(encoding="utf-8"))
    ]
    assert made == ["cli/console.py"]


@pytest.fixture
def odd_data(tmp_path):
    """A data set whose folder, file and class have brackets in their names."""
    folder = tmp_path / "in[v2]"
    folder.mkdir()
    rows = ["image,xmin,ymin,xmax,ymax,label"]
    for i, label in enumerate(("[red]x", "cat[old]", "a:cat:b")):
        Image.fromarray(np.full((64, 96, 3), 40 * i, np.uint8)).save(folder / f"p[{i}].png")
        rows.append(f"p[{i}].png,8,8,{30 + 9 * i},40,{label}")
    (folder / "boxes[old].csv").write_text("\n".join(rows) + "\n")
    return folder / "boxes[old].csv"


def test_commands_show_names_of_classes_and_files(run, odd_data, tmp_path):
    out = tmp_path / "out[v2]"
    code, said, err = run("inspect", odd_data, "--out", out)
    assert code == 0
    assert "out[v2]" in said.replace("\n", "")
    assert all(name in err for name in ("[red]x", "cat[old]", "a:cat:b", "boxes[old]"))
    code, said, _ = run("anchors", odd_data, "--k", 1)
    assert code == 0
    assert "boxes[old]" in said.replace("\n", "")
    code, _, err = run("convert", odd_data, tmp_path / "as[voc]", "--to", "voc")
    assert code == 0
    # A line may break at any blank, or within the path, by how long that is.
    assert "as[voc]:voc,3pictures" in "".join(err.split())
    assert len(open_dataset(tmp_path / "as[voc]")) == 3


def test_broken_pictures_are_named(run, odd_data, tmp_path):
    pictures = odd_data.parent
    (pictures / "a[").mkdir()
    for name in ("a[/b].jpg", "cat[old].jpg"):
        (pictures / name).write_text("no picture")
    (pictures / "boxes[old].csv").unlink()
    out = tmp_path / "out[v2]"
    code, said, err = run("predict", "starter-tiny", pictures, "--out", out)
    assert code == 0
    assert "drawn in" in said
    assert "out[v2]" in said
    assert "a[/b].jpg: not a picture" in err
    assert "cat[old].jpg: not a picture" in err


def test_a_written_model_is_named(run, tmp_path):
    code, _, err = run("narrow", "starter-tiny", tmp_path / "small[half].keras")
    assert code == 0
    assert "small[half].keras: " in err
    code, said, _ = run("export", "starter-tiny", "--format", "darknet", "--out", tmp_path / "dk")
    assert code == 0
    assert "[reorg3d]" in said
