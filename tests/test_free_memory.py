import pytest

from yolov2_tf import free_memory


@pytest.mark.parametrize(
    ("limit", "used", "left"),
    [("4000", "3000", 1100), ("3000", "4000", 0), ("max", "4000", None), (None, None, None)],
)
def test_a_container_may_leave_less_than_the_machine(tmp_path, monkeypatch, limit, used, left):
    names = "memory.max", "memory.current"
    for name, text in zip(names, (limit, used), strict=True):
        if text is not None:
            (tmp_path / name).write_text(text + "\n")
    (tmp_path / "memory.stat").write_text("anon 70\ninactive_file 100\nactive_file 20\n")
    monkeypatch.setattr(free_memory, "CONTROL_GROUPS", [(tmp_path, *names)])
    monkeypatch.setattr(free_memory, "_free_of_machine", lambda: 5000)
    assert free_memory.free_bytes() == (5000 if left is None else left)


def test_what_is_free_is_some_of_what_there_is():
    assert 1e7 < free_memory.free_bytes() < 1e15
