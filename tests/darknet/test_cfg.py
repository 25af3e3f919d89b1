"""The text of a cfg: sections and options, in and out."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolov2_tf.darknet import cfg
from yolov2_tf.darknet.cfg import Section, parse_cfg, read_cfg, write_cfg
from yolov2_tf.errors import InputError

TEXT = """\
# a comment
[net]
width=224
 height = 224
; another
channels=3   # inline

[convolutional]
filters=16
anchors = 1, 2.5
"""


def test_sections_and_options():
    sections = parse_cfg(TEXT, "a.cfg")
    assert sections == [
        Section("net", {"width": "224", "height": "224", "channels": "3"}),
        Section("convolutional", {"filters": "16", "anchors": "1, 2.5"}),
    ]
    assert [section.where() for section in sections] == ["a.cfg:2", "a.cfg:8"]
    assert sections[1].where("anchors") == "a.cfg:10"


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: "\ufeff" + text,
        lambda text: text.rstrip("\n"),
        lambda text: text.replace("=", "\t =  "),
        lambda text: text.replace("[net]", "[network]").replace("[convolutional]", "[ conv ]"),
        lambda text: text + "filters=16\n",
        lambda text: text.replace("filters=16", "filters=16#(classes+5)*num"),
        lambda text: text.replace("filters=16", "filters=16 // (classes + 5)"),
        lambda text: text.replace("1, 2.5", "1, 2.5; cells"),
        lambda text: text.replace("[net]", "[net] # the network"),
    ],
    ids=[
        *("crlf", "cr", "bom", "no final newline", "spaces", "aliases", "repeated option"),
        *("comment close to a number", "slashes", "comment after numbers", "after a header"),
    ],
)
def test_the_same_sections_however_written(tmp_path, change):
    path = tmp_path / "a.cfg"
    path.write_bytes(change(TEXT).encode())
    sections = read_cfg(path)
    assert sections == parse_cfg(TEXT)
    assert not any(section.notes for section in sections)


@pytest.mark.parametrize("encoding", ["gbk", "shift_jis", "latin-1", "utf-16", "utf-8-sig"])
def test_comments_in_any_encoding(tmp_path, encoding):
    word = {"latin-1": "é", "shift_jis": "学習"}.get(encoding, "学习")
    text = TEXT.replace("a comment", word).replace("inline", word)
    path = tmp_path / "a.cfg"
    path.write_bytes(text.encode(encoding))
    assert read_cfg(path) == parse_cfg(TEXT)


def test_a_comment_after_a_word_belongs_to_it():
    """Darknet takes `leaky # slope` for a name that it does not know, and goes on with ReLU."""
    (section,) = parse_cfg("[conv]\nactivation=leaky # slope\n")
    with pytest.raises(InputError, match=r"is 'leaky # slope' .*a line of its own"):
        section.choice("activation", "logistic", ("leaky",))


@pytest.mark.parametrize("line", ["this is my note", "hue=", "=3", "hue"])
def test_lines_that_are_no_options_are_ignored_and_noted(line):
    (section,) = parse_cfg(f"[net]\nwidth=3\n{line}\n", "a.cfg")
    assert section.options == {"width": "3"}
    assert section.notes == [f"a.cfg:3: {line!r} is no option; ignored, as in Darknet"]


def test_the_first_value_of_a_key_counts():
    (section,) = parse_cfg("[net]\nbatch=1\n# Training\nbatch=64\nbatch=1\n", "a.cfg")
    assert section.options == {"batch": "1"}
    assert section.notes == [
        "a.cfg:4: [net] has 'batch' again, '64'; the first counts, as in Darknet: '1' in line 2"
    ]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("width=3\n[net]\n", 1, "before any section"),
        ("[net\n", 1, "no section"),
        ("[net] x\n", 1, "no section"),
        ("[]\n", 1, "no section"),
    ],
)
def test_broken_form_is_refused_with_its_line(text, line, words):
    with pytest.raises(InputError, match=words) as error:
        parse_cfg(text, "a.cfg")
    assert error.value.where == f"a.cfg:{line}"


@pytest.mark.parametrize(
    ("data", "where", "words"),
    [
        (b"", "", "no sections"),
        (b"# only comments\n", "", "no sections"),
        (b"[net]\nwidth=3\ntree=\xc3\xa9 \xe9\n", ":3", "byte 0xe9 is not UTF-8"),
        (b"\xff\xfe[\x00n", "", "not text"),
        (b"\x00\x00\x00\x00\x01\x00", "", "not text"),
        (b"#" * (cfg.MAX_BYTES + 1), "", "too large"),
    ],
)
def test_files_that_are_no_cfg(tmp_path, data, where, words):
    path = tmp_path / "a.cfg"
    path.write_bytes(data)
    with pytest.raises(InputError, match=words) as error:
        read_cfg(path)
    assert error.value.where == f"{path}{where}"


def test_files_that_cannot_be_read(tmp_path):
    for path in (tmp_path / "missing.cfg", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            read_cfg(path)


@pytest.mark.parametrize("text", ["", "x", "3x", "1_0", "٣", "0x10", "1.0", "9" * 11, "3 4"])
def test_what_is_no_whole_number(text):
    section = Section("net", {"width": text}, "a.cfg", 1, {"width": 2})
    with pytest.raises(InputError, match=r"a\.cfg:2: \[net\] width is"):
        section.integer("width")


@pytest.mark.parametrize("text", ["", ".", "nan", "inf", "1e999", "1_0", "1,5", "1e", "--1", "٣"])
def test_what_is_no_number(text):
    with pytest.raises(InputError, match="expected a number"):
        Section("net", {"hue": text}).number("hue")


def test_numbers():
    section = Section("net", {"n": " +07 ", "x": "-.5e1", "list": "1, 2.5,3.", "ints": "-1, 8"})
    assert section.integer("n") == 7
    assert section.number("x") == -5.0
    assert section.numbers("list") == [1.0, 2.5, 3.0]
    assert section.integers("ints") == [-1, 8]
    assert Section("region", {"anchors": "1,2, 3,4,"}).numbers("anchors") == [1, 2, 3, 4]
    assert section.integer("absent", 4) == 4
    assert section.number("absent", 0.5) == 0.5
    with pytest.raises(InputError, match=r"\[net\] has no 'absent'"):
        section.integer("absent")
    with pytest.raises(InputError, match="expected 8 to 9"):
        section.integer("n", low=8, high=9)
    with pytest.raises(InputError, match="expected 0 to 1"):
        section.number("x", low=0, high=1)
    with pytest.raises(InputError, match="expected one of a, b"):
        section.choice("n", "a", ("a", "b"))


def test_published_files_survive_a_round_trip(shared_data):
    paths = [*shared_data.glob("darknet/*.cfg"), *shared_data.glob("yolo_lite/*.cfg")]
    assert len(paths) == 10
    for path in paths:
        sections = read_cfg(path)
        assert parse_cfg(write_cfg(sections)) == sections


@pytest.mark.parametrize("value", ["a\nb", "1 #b", " a", ""])
def test_a_value_that_a_cfg_cannot_hold_is_not_written(value):
    with pytest.raises(InputError):
        write_cfg([Section("region", {"tree": value})])


WORDS = st.text("abcdefgh_0123456789", min_size=1, max_size=8)
SECTIONS = st.lists(
    st.builds(Section, WORDS, st.dictionaries(WORDS, WORDS, max_size=4)), min_size=1, max_size=6
)


@given(SECTIONS)
def test_whatever_is_written_reads_back(sections):
    assert parse_cfg(write_cfg(sections)) == sections


LINES = st.one_of(
    st.sampled_from(["[net]", "[conv]", "a=1", "a=2", "a b = c=d", "# x", "[", "=", "a=#b ;c"]),
    st.text(max_size=12),
)


@given(st.lists(LINES, max_size=12).map("\n".join))
def test_any_text_gives_sections_or_an_input_error(text):
    try:
        sections = parse_cfg(text)
    except InputError:
        return
    assert parse_cfg(write_cfg(sections)) == sections


@given(data=st.binary(max_size=200))
def test_any_bytes_give_sections_or_an_input_error(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any.cfg"
    path.write_bytes(data)
    with contextlib.suppress(InputError):
        assert read_cfg(path)
