"""Files and folders are replaced whole or not at all."""

import os
import pathlib
import shutil
import stat

import pytest

from yolov2_tf.errors import InputError
from yolov2_tf.files import replacing


def only(folder):
    """The names in a folder, hidden ones included."""
    return sorted(path.name for path in folder.iterdir())


def test_a_new_file_appears_with_its_folders(tmp_path):
    with replacing(tmp_path / "a" / "b.txt") as temporary:
        temporary.write_text("new")
        assert not (tmp_path / "a" / "b.txt").exists()
    assert (tmp_path / "a" / "b.txt").read_text() == "new"
    assert only(tmp_path / "a") == ["b.txt"]


def test_an_old_file_is_replaced(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert only(tmp_path) == ["a.txt"]


def test_an_old_folder_is_replaced(tmp_path):
    path = tmp_path / "model"
    path.mkdir()
    (path / "old").touch()
    with replacing(path) as temporary:
        temporary.mkdir()
        (temporary / "new").touch()
    assert only(path) == ["new"]
    assert only(tmp_path) == ["model"]


def test_a_file_does_not_take_the_place_of_a_folder(tmp_path):
    path = tmp_path / "model.keras"
    path.mkdir()
    (path / "somebody's").touch()
    with pytest.raises(InputError, match="is a folder"), replacing(path) as temporary:
        temporary.write_text("new")
    assert only(path) == ["somebody's"]
    assert only(tmp_path) == ["model.keras"]


def test_a_pipe_is_written_into(tmp_path):
    """As `--json >(jq .)` and `--json /dev/null` want it; root would lose the device."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with replacing(pipe) as temporary:
        temporary.write_text("new")
    assert os.read(reader, 10) == b"new"
    os.close(reader)
    assert pipe.is_fifo()
    opened = os.open(tmp_path / "open", os.O_CREAT | os.O_WRONLY)
    with replacing(f"/dev/fd/{opened}") as temporary:
        temporary.write_text("new")
    os.close(opened)
    assert (tmp_path / "open").read_text() == "new"
    with pytest.raises(InputError, match="is no folder"), replacing(pipe) as temporary:
        temporary.mkdir()
    assert only(tmp_path) == ["open", "pipe"]


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path):
    """As all that open a file to write do; nobody expects the link to become a file."""
    (tmp_path / "kept").mkdir()
    for name in ("old.txt", "not there yet.txt"):
        link, target = tmp_path / name, tmp_path / "kept" / name
        link.symlink_to(target)
        if name == "old.txt":
            target.write_text("old")
        with pytest.raises(RuntimeError, match="midway"):
            write_half(link)
        assert target.exists() == (name == "old.txt")
        with replacing(link) as temporary:
            temporary.write_text("new")
        assert link.is_symlink()
        assert target.read_text() == "new"
    (tmp_path / "folder").symlink_to(tmp_path / "kept")
    with pytest.raises(InputError, match="is a folder"), replacing(tmp_path / "folder") as path:
        path.write_text("new")
    with replacing(tmp_path / "folder") as temporary:
        temporary.mkdir()
    assert only(tmp_path) == ["folder", "kept", "not there yet.txt", "old.txt"]
    assert only(tmp_path / "kept") == []


def write_half(path):
    with replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError("midway")


def test_a_failure_leaves_no_empty_folders(tmp_path):
    with pytest.raises(RuntimeError, match="midway"):
        write_half(tmp_path / "a" / "b" / "c.txt")
    assert only(tmp_path) == []
    (tmp_path / "a").mkdir()  # somebody's own folder stays, and so does one in use
    with pytest.raises(RuntimeError, match="midway"):
        write_half(tmp_path / "a" / "b" / "c.txt")
    assert only(tmp_path / "a") == []
    with replacing(tmp_path / "a" / "b" / "d.txt") as temporary:
        temporary.write_text("whole")
        with pytest.raises(RuntimeError, match="midway"):
            write_half(tmp_path / "a" / "b" / "c.txt")
    assert only(tmp_path / "a" / "b") == ["d.txt"]


@pytest.mark.parametrize("kind", ["file", "folder", "nothing"])
def test_a_failure_leaves_what_was_there(tmp_path, kind):
    path = tmp_path / "result"
    if kind == "file":
        path.write_text("old")
    elif kind == "folder":
        path.mkdir()
        (path / "old").touch()
    before = only(tmp_path)
    with pytest.raises(RuntimeError, match="midway"):
        write_half(path)
    assert only(tmp_path) == before
    if kind == "file":
        assert path.read_text() == "old"
    if kind == "folder":
        assert only(path) == ["old"]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_block_that_writes_nothing_fails_and_destroys_nothing(tmp_path, kind):
    path = tmp_path / "result"
    if kind == "file":
        path.write_text("old")
    else:
        path.mkdir()
        (path / "old").touch()
    with pytest.raises(FileNotFoundError), replacing(path):
        pass
    assert only(tmp_path) == ["result"]
    assert path.read_text() == "old" if kind == "file" else only(path) == ["old"]


def test_the_temporary_name_keeps_its_suffix(tmp_path):
    with replacing(tmp_path / "model.keras") as temporary:
        assert temporary.suffix == ".keras"
        temporary.touch()


def test_others_may_read_the_result_as_usual(tmp_path):
    (tmp_path / "usual").touch()
    with replacing(tmp_path / "ours") as temporary:
        temporary.touch()
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("usual", "ours")}
    assert len(modes) == 1


def interrupted(function, at, *, before):
    """A function that Ctrl-C meets at one of its calls, before its work or after it."""
    calls = []

    def call(*args, **kwargs):
        calls.append(args)
        if before and len(calls) == at:
            raise KeyboardInterrupt
        result = function(*args, **kwargs)
        if len(calls) == at:
            raise KeyboardInterrupt
        return result

    return call


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize(
    ("owner", "name", "at"),
    [
        (pathlib.Path, "mkdir", 1),
        (pathlib.Path, "mkdir", 2),
        (os, "replace", 1),
        (shutil, "rmtree", 1),
    ],
)
def test_ctrl_c_leaves_nothing_whenever_it_comes(tmp_path, monkeypatch, owner, name, at, before):
    (tmp_path / "a").mkdir()
    function = interrupted(getattr(owner, name), at, before=before)
    monkeypatch.setattr(owner, name, lambda *args, **kwargs: function(*args, **kwargs))
    with pytest.raises(KeyboardInterrupt), replacing(tmp_path / "a" / "b.txt") as temporary:
        temporary.write_text("new")
    assert only(tmp_path / "a") in ([], ["b.txt"])
