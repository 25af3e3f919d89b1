"""`yolov2 wordtree` on a small tree and a small WordNet."""

import json

import pytest
from PIL import Image
from typer.testing import CliRunner

from yolov2_tf.cli.wordtree import app
from yolov2_tf.errors import InputError
from yolov2_tf.trees.wordtree import WordTree

DATA = """\
  1 licence
00000001 03 n 01 physical_entity 0 000 | all there is
00000002 03 n 01 guide_dog 0 001 @ 00000004 n 0000 | leads
00000003 03 n 01 hound 0 001 @ 00000004 n 0000 | hunts
00000004 03 n 01 dog 0 001 @ 00000001 n 0000 | barks
00000005 03 n 01 cat 0 001 @ 00000001 n 0000 | does not
"""
INDEX = "  1 licence\nphysical_entity n 1 0 1 1 00000001\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data.noun").write_text(DATA)
    (tmp_path / "index.noun").write_text(INDEX)
    (tmp_path / "wnids.txt").write_text("n00000002\nn00000003\nn00000005\n")
    (tmp_path / "a.tree").write_text("n00000004 -1\nn00000005 -1\nn00000002 0\nn00000003 1\n")
    (tmp_path / "a.names").write_text("dog\ncat\nguide dog\nhound\n")
    return tmp_path


def run(*arguments):
    """What the command prints; its error, if it has one, is raised as in the package."""
    result = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_build(folder):
    out, names = folder / "new.tree", folder / "new.names"
    options = ("--leaves", folder / "wnids.txt", "--out", out, "--names", names, "--json", "-")
    found = json.loads(run("build", "--wordnet", folder, *options))
    assert found == {"nodes": 4, "leaves": 3, "groups": 2, "depth": 2}
    assert len(WordTree.read(out)) == 4
    assert names.read_text() == "dog\ncat\nguide dog\nhound\n"


def test_build_of_anyones_classes(folder):
    (folder / "pets.txt").write_text("lead dog=n00000002 guide dog\ntabby=n00000005\n")
    (folder / "imagenet" / "n00000003").mkdir(parents=True)
    files = {name: folder / f"pets.{name}" for name in ("tree", "names", "map")}
    options = ["--leaves", folder / "pets.txt", "--leaves", folder / "imagenet"]
    options += ["--out", files["tree"], "--names", files["names"], "--map-out", files["map"]]
    run("build", "--wordnet", folder, *options)
    tree = WordTree.read(files["tree"])
    assert files["names"].read_text() == "dog\ntabby\nlead dog\nhound\n"
    nodes = [tree.names[int(node)] for node in files["map"].read_text().split()]
    assert nodes == ["n00000002", "n00000005"]


def test_build_leaves_nothing_half_written(folder):
    (folder / "wnids.txt").write_text("n00000002\nn99999999\n")
    out = folder / "new.tree"
    with pytest.raises(InputError, match=r"wnids\.txt:2"):
        run("build", "--wordnet", folder, "--leaves", folder / "wnids.txt", "--out", out)
    assert not out.exists()


def test_show_prints_a_part(folder):
    text = run("show", folder / "a.tree")
    assert [line.split()[-1] for line in text.splitlines()] == [
        "object", "n00000004", "n00000002", "n00000005", "n00000003",
    ]  # fmt: skip
    text = run("show", folder / "a.tree", "--names", folder / "a.names", "--depth", 1)
    assert "dog  n00000004  +1" in text
    assert "guide" not in text
    text = run("show", folder / "a.tree", "--names", folder / "a.names", "--node", "Cat")
    assert [line.split()[-1] for line in text.splitlines()] == ["n00000005", "n00000003"]
    with pytest.raises(InputError, match="unicorn"):
        run("show", folder / "a.tree", "--node", "unicorn")


def test_show_draws(folder):
    png = folder / "a.png"
    run("show", folder / "a.tree", "--names", folder / "a.names", "--plot", png)
    assert Image.open(png).width > 100


def test_show_refuses_a_picture_that_no_one_can_read(folder):
    WordTree([f"n{i}" for i in range(401)], [-1] * 401).write(folder / "wide.tree")
    with pytest.raises(InputError, match="401 rows"):
        run("show", folder / "wide.tree", "--plot", folder / "wide.png")
    assert not (folder / "wide.png").exists()


def test_check(folder):
    text = run("check", folder / "a.tree", "--names", folder / "a.names", "--wordnet", folder)
    assert "4 nodes, 2 leaves, 3 groups, 2 levels" in text
    assert "2 edges, 1 of them not in WordNet" in text
    assert "n00000003 (hound) below n00000005 (cat); WordNet: n00000004 (dog)" in text


def test_check_as_json(folder):
    found = json.loads(run("check", folder / "a.tree", "--wordnet", folder, "--json", "-"))
    assert found["largest_group"] == 2
    assert found["top_nodes"] == 2
    assert [edge["node"] for edge in found["disagreeing"]] == ["n00000003 (hound)"]


def test_check_refuses_an_invalid_tree(folder):
    (folder / "a.tree").write_text("a -1\nb 0\nc -1\n")
    with pytest.raises(InputError, match=r"a\.tree:3"):
        run("check", folder / "a.tree")


@pytest.mark.parametrize("command", ["build", "show", "check"])
def test_help_has_examples(command):
    assert f"yolov2 wordtree {command}" in run(command, "--help")
