"""What the pages say can be followed: links, Python, and the options of commands."""

import ast
import importlib
import importlib.util
import json
import os
import re
import shlex
from pathlib import Path

import pytest
import typer

import yolov2_tf
from yolov2_tf.cli import app

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXTS = {str(page.relative_to(ROOT)): page.read_text("utf-8") for page in PAGES}

_spec = importlib.util.spec_from_file_location("site_pages", ROOT / "docs" / "site_pages.py")
site_pages = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(site_pages)
NOTEBOOKS = sorted((ROOT / "docs").glob("*.ipynb"))
for notebook in NOTEBOOKS:
    name = str(notebook.relative_to(ROOT))
    TEXTS[name] = site_pages.notebook_page(notebook.read_text("utf-8"))

FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
INDENTED = re.compile(r"(?:^ {4,}\S.*\n?)+", re.MULTILINE)


def without_code(text):
    return re.sub(r"`[^`\n]*`", "", FENCE.sub("", text))


def links(text):
    found = re.findall(r"\]\(([^)\s]+)\)", without_code(text))
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def anchors(path):
    """The names that GitHub gives to headings."""
    names = set()
    for heading in re.findall(r"^#+ +(.+)$", FENCE.sub("", path.read_text("utf-8")), re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = stem = re.sub(r"[^\w\- ]", "", words.strip().lower()).replace(" ", "-")
        copies = 0
        while name in names:
            copies += 1
            name = f"{stem}-{copies}"
        names.add(name)
    return names


def broken(page, text):
    """The links of a page that lead nowhere."""
    missing = []
    for link in links(text):
        address, _, anchor = link.partition("#")
        target = Path(os.path.normpath(page.parent / address)) if address else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            missing.append(link)
    return missing


def commands(text):
    """Lines of code, and code between words, that call `yolov2`."""
    blocks = [*FENCE.findall(text), *INDENTED.findall(FENCE.sub("", text))]
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    spans = re.findall(r"`([^`]+)`", FENCE.sub("", text))
    for line in [*lines, *spans]:
        call = re.match(r"\s*(?:\$ )?(?:\.venv/bin/)?(yolov2 .*)", line, re.DOTALL)
        if call:
            yield shlex.split(call[1].replace("…", " "), comments=True)


def unknown(words):
    """What of a call of `yolov2` the command line does not have."""
    command, rest = typer.main.get_command(app), words[1:]
    while rest and hasattr(command, "commands") and not rest[0].startswith("-"):
        if rest[0] not in command.commands:
            return [rest[0]]
        command, rest = command.commands[rest[0]], rest[1:]
    options = {"--help"}
    for parameter in command.params:
        options.update(parameter.opts, parameter.secondary_opts)
    asked = [word.partition("=")[0] for word in rest if re.match(r"--?[a-zA-Z]", word)]
    return [option for option in asked if option not in options]


@pytest.mark.parametrize("name", TEXTS)
def test_links_lead_somewhere(name):
    assert broken(ROOT / name, TEXTS[name]) == []


@pytest.mark.parametrize("name", TEXTS)
def test_python_compiles(name):
    for block in re.findall(r"^```python\n(.*?)^```$", TEXTS[name], re.DOTALL | re.MULTILINE):
        compile(block, name, "exec")


def missing_names(code):
    """What a piece of Python imports of this package that is not there."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.startswith("yolov2_tf") and not exists(name))


def exists(name):
    """Whether a dotted name is a module, or what a module has, or a field of a class of it."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            if not hasattr(found, part):
                return part in getattr(found, "__annotations__", {})
            found = getattr(found, part)
        return True
    return False


@pytest.mark.parametrize("name", TEXTS)
def test_what_python_imports_of_the_package_is_there(name):
    blocks = re.findall(r"^```python\n(.*?)^```$", TEXTS[name], re.DOTALL | re.MULTILINE)
    assert [one for block in blocks for one in missing_names(block)] == []


def test_names_of_the_package_that_texts_tell_are_there():
    sources = [*ROOT.glob("yolov2_tf/**/*.py"), *ROOT.glob("export/*.py"), *PAGES]
    told = {
        (name, str(path.relative_to(ROOT)))
        for path in sources
        for name in re.findall(r"`(yolov2_tf(?:\.\w+)+)(?:\(\))?`", path.read_text("utf-8"))
    }
    assert len(told) > 100
    assert sorted(one for one in told if not exists(one[0])) == []


@pytest.mark.parametrize("name", TEXTS)
def test_commands_have_the_options(name):
    calls = [(words, unknown(words)) for words in commands(TEXTS[name])]
    assert [call for call in calls if call[1]] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebooks_are_kept_without_outputs_and_have_a_page(path):
    cells = json.loads(path.read_text("utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert code
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert str(path.relative_to(ROOT)) in site_pages.PAGES


def test_the_checks_see_what_is_wrong():
    page = ROOT / "docs" / "train.md"
    text = "[a](nowhere.md) [b](train.md#no-such) [c](#going-on) [d](https://example.org) `[e](f)`"
    assert broken(page, text) == ["nowhere.md", "train.md#no-such"]
    code = "from yolov2_tf.boxes import iou, ioo\nimport yolov2_tf.nowhere, yolov2_tf.data.source"
    assert list(missing_names(code)) == ["yolov2_tf.boxes.ioo", "yolov2_tf.nowhere"]
    text = "    yolov2 train D --epochs 3 \\\n        --epoch 3\n\n`yolov2 fly`, `yolov2 models`\n"
    assert [unknown(words) for words in commands(text)] == [["--epoch"], ["fly"], []]
    assert sum(len(list(commands(text))) for text in TEXTS.values()) > 50


def test_the_reference_has_each_public_name():
    listed = re.findall(r"^::: \S+\.(\w+)$", TEXTS["docs/api.md"], re.MULTILINE)
    assert set(yolov2_tf.__all__) - {"__version__"} <= set(listed)
    assert len(listed) == len(set(listed))
