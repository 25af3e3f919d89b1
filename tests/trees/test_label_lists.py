"""Classes of anyone's data as synsets: files, folders, and the lists in the package."""

import pytest

from yolov2_tf.errors import InputError
from yolov2_tf.trees.label_lists import IMAGENET, SHIPPED, Label, read_labels
from yolov2_tf.trees.wordnet import DEBIAN_FOLDER, Synset, WordNet, build_tree

SYNSETS = {  # number: (words, hypernyms)
    1: ("entity", []),
    2: ("physical_entity", [1]),
    4: ("dog", [2]),
    6: ("hound", [4]),
    8: ("cat", [2]),
    9: ("sign", [1]),
    11: ("rock", [2]),
    15: ("artifact", [2]),
    16: ("mouse", [2]),
    17: ("mouse computer_mouse", [15]),
    18: ("mouse", [9]),
}


def wnid(number):
    return f"n{number:08d}"


@pytest.fixture(scope="module")
def tiny():
    synsets, senses = {}, {}
    for number, (words, above) in SYNSETS.items():
        synsets[wnid(number)] = Synset(tuple(words.split()), tuple(map(wnid, above)))
        for word in words.split():
            senses[word] = (*senses.get(word, ()), wnid(number))
    return WordNet(synsets, senses)


@pytest.fixture(scope="module")
def wordnet():
    try:
        return WordNet.read()
    except InputError:
        pytest.skip(f"needs WordNet 3.0 in {DEBIAN_FOLDER} (apt-get install wordnet-base)")


def read(tmp_path, tiny, text, **options):
    (tmp_path / "list.txt").write_text(text)
    return read_labels(str(tmp_path / "list.txt"), tiny, **options)


def test_a_line_is_an_id_a_name_with_an_id_or_a_name(tmp_path, tiny):
    text = f"{wnid(4)} dog, man's friend\nmy = cat={wnid(8)}  cat\ncomputer mouse\nRock\n"
    assert read(tmp_path, tiny, text) == [
        Label(wnid(4)), Label("n00000008", "my = cat"), Label(wnid(17), "computer mouse"),
        Label(wnid(11), "Rock"),
    ]  # fmt: skip


def test_senses_are_of_things_and_somebody_chooses(tmp_path, tiny):
    asked = []

    def choose(name, senses):
        asked.append((name, senses))
        return senses[-1]

    assert read(tmp_path, tiny, "mouse\ndog\n", choose=choose)[0] == Label(wnid(17), "mouse")
    assert asked == [("mouse", [wnid(16), wnid(17)])]  # a sign is no thing
    with pytest.raises(InputError) as refused:
        read(tmp_path, tiny, "dog\nmouse\n")
    assert "n00000017 (mouse, computer mouse: a kind of artifact)" in refused.value.what
    assert "mouse=n00000016" in refused.value.expected


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("unicorn\n", "'unicorn' is no noun"),
        ("x=n99999999\n", "'n99999999' is no noun"),
        ("x=\n", "'' is no noun"),
        (f"{wnid(4)}\ndog\n", "n00000004 is there twice"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(tmp_path, tiny, text, what):
    with pytest.raises(InputError) as refused:
        read(tmp_path, tiny, text)
    assert what in refused.value.what
    assert str(refused.value.where).rpartition(":")[2] == str(text.count("\n"))


def test_folders_of_imagenet_are_lists(tmp_path, tiny):
    for name in (wnid(8), wnid(4)):
        (tmp_path / "train" / name).mkdir(parents=True)
    assert read_labels(tmp_path / "train", tiny) == [Label(wnid(4)), Label(wnid(8))]
    assert read_labels(tmp_path, tiny) == read_labels(tmp_path / "train", tiny)
    (tmp_path / "flat").mkdir()
    (tmp_path / "flat" / f"{wnid(6)}_hound.JPEG").touch()
    assert read_labels(tmp_path / "flat", tiny) == [Label(wnid(6))]
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="no ImageNet ids"):
        read_labels(tmp_path / "none", tiny)


# === The package's own lists ===


@pytest.mark.parametrize(("name", "count"), [("coco", 80), ("voc", 20)])
def test_the_lists_of_the_package_say_the_words_of_their_synsets(wordnet, name, count):
    from yolov2_tf.trees import label_lists

    labels = read_labels(name, wordnet)
    assert len(labels) == count
    path = label_lists.Path(label_lists.__file__).parent / "wnids" / SHIPPED[name]
    for label, line in zip(labels, path.read_text().splitlines(), strict=True):
        words = [word.replace("_", " ") for word in wordnet.synsets[label.wnid].words]
        assert line == f"{label.name}={label.wnid}  {', '.join(words)}"


def test_their_order_is_that_of_the_data_sets(wordnet, shared_data):
    from yolov2_tf.data.readers.voc_xml import CLASS_NAMES
    from yolov2_tf.data.source import open_dataset

    assert tuple(label.name for label in read_labels("voc", wordnet)) == CLASS_NAMES
    names = open_dataset(shared_data / "coco_sample").class_names
    assert tuple(label.name for label in read_labels("coco", wordnet)) == names


def test_darknets_map_agrees_but_where_a_closer_synset_was_chosen(wordnet, shared_data):
    """`coco9k.map` has nodes of `9k.tree` alone, which lacks surfboards, cakes, toilets, …."""
    folder = shared_data / "darknet"
    nodes = (folder / "9k.labels").read_text().split()
    theirs = [nodes[int(number)] for number in (folder / "coco9k.map").read_text().split()]
    differing = {
        label.name: (label.wnid, other)
        for label, other in zip(read_labels("coco", wordnet), theirs, strict=True)
        if label.wnid != other
    }
    known = set(nodes)
    assert all(
        wordnet.ancestors(wnid) & (wordnet.ancestors(other) - {wordnet.find("entity")})
        for wnid, other in differing.values()
    )
    assert {name for name, (wnid, _) in differing.items() if wnid in known} <= {
        *("bowl", "book", "cake", "clock", "fork", "kite", "knife", "potted plant", "sink"),
        *("suitcase", "surfboard", "toilet", "fire hydrant"),
    }


def test_the_first_sense_of_a_name_is_often_another_thing(wordnet):
    wrong = [
        label.name
        for label in read_labels("coco", wordnet)
        if wordnet.senses.get(label.name.replace(" ", "_"), [None])[0] != label.wnid
    ]
    assert "mouse" in wrong
    assert len(wrong) > 15


def test_a_tree_of_imagenets_classes_depends_on_their_order(wordnet, shared_data):
    """The paper's 1,369 nodes by rising id; 1,370 in the order of Darknet's list."""
    lines = (shared_data / "darknet/imagenet.labels.list").read_text().split()[:1000]
    assert len(build_tree(lines, wordnet)) == 1370
    assert len(build_tree(sorted(lines), wordnet)) == 1369


def test_imagenets_classes_are_in_darknets_order(shared_data):
    ids = IMAGENET.read_text().splitlines()
    assert ids == (shared_data / "darknet/imagenet.labels.list").read_text().splitlines()[:1000]
    assert len(set(ids)) == 1000
