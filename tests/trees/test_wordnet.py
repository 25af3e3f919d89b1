"""Trees from WordNet: a tiny database written here, and the real one where it is installed."""

import importlib.util
from pathlib import Path

import pytest

from yolov2_tf.errors import InputError
from yolov2_tf.trees.wordnet import DEBIAN_FOLDER, WordNet, build_tree, compare, read_wnids
from yolov2_tf.trees.wordtree import WordTree, read_lines

TINY = {  # number: (words, {pointer: numbers})
    1: ("entity", {}),
    2: ("physical_entity", {"@": [1]}),
    3: ("animal beast", {"@": [2], "~": [4]}),
    4: ("dog", {"@": [3, 5]}),
    5: ("pet", {"@": [3]}),
    6: ("hound", {"@": [4]}),
    7: ("terrier", {"@": [4], "+": [1]}),
    8: ("cat", {"@": [5]}),
    9: ("sign", {"@": [1]}),
    10: ("Lassie", {"@i": [6]}),
    11: ("rock", {"@": [12]}),
    12: ("matter", {"@": [2]}),
    13: ("marble", {"@": [12, 14]}),
    14: ("toy", {"@": [15]}),
    15: ("artifact", {"@": [2]}),
}


def wnid(number):
    return f"n{number:08d}"


def write_wordnet(folder, synsets):
    """Writes `data.noun` and `index.noun` in the format of wndb(5WN)."""
    licence = "  1 This software and database is being provided to you  \n"
    data, senses = [licence], {}
    for number, (words, pointers) in synsets.items():
        for word in words.split():
            senses.setdefault(word.lower(), []).append(f"{number:08d}")
        forms = " ".join(f"{word} 0" for word in words.split())
        links = [f"{kind} {to:08d} n 0000" for kind, tos in pointers.items() for to in tos]
        head = f"{number:08d} 03 n {len(words.split()):02x} {forms} {len(links):03d}"
        data.append(" ".join([head, *links, "| what it is | said plainly  \n"]))
    index = [licence]
    for word, offsets in sorted(senses.items()):
        pointers = "2 @ ~ "
        index.append(f"{word} n {len(offsets)} {pointers}{len(offsets)} 0 {' '.join(offsets)}  \n")
    (folder / "data.noun").write_text("".join(data))
    (folder / "index.noun").write_text("".join(index))
    return folder


@pytest.fixture
def tiny(tmp_path):
    return WordNet.read(write_wordnet(tmp_path, TINY))


@pytest.fixture(scope="module")
def wordnet():
    if not Path(DEBIAN_FOLDER, "data.noun").is_file():
        pytest.skip("needs WordNet 3.0: apt-get install wordnet-base")
    return WordNet.read(DEBIAN_FOLDER)


def edges(tree, database):
    """`{name: parent's name}` in words, None for the root."""
    words = [database.name(name) for name in tree.names]
    return {
        word: None if up < 0 else words[up] for word, up in zip(words, tree.parent, strict=True)
    }


# === The database ===


def test_reading(tiny):
    assert len(tiny) == len(TINY)
    assert tiny.name(wnid(2)) == "physical entity"
    assert tiny.synsets[wnid(3)].words == ("animal", "beast")
    assert tiny.synsets[wnid(7)].hypernyms == (wnid(4),)
    assert tiny.find("Physical Entity") == wnid(2)
    assert tiny.find("beast") == wnid(3)
    with pytest.raises(InputError, match="'unicorn' is no noun"):
        tiny.find("unicorn")


def test_ancestors_and_paths(tiny):
    assert tiny.ancestors(wnid(10)) == {wnid(i) for i in (1, 2, 3, 4, 5, 6)}
    assert sorted(tiny.paths(wnid(4), wnid(2))) == [
        [wnid(i) for i in path] for path in ([2, 3, 4], [2, 3, 5, 4])
    ]
    assert tiny.paths(wnid(9), wnid(2)) == []
    assert tiny.paths(wnid(2), wnid(2)) == [[wnid(2)]]


def test_a_database_with_a_circle_does_not_hang(tmp_path):
    circle = {1: ("entity", {"@": [2]}), 2: ("physical_entity", {}), 3: ("a", {"@": [4]})}
    circle[4] = ("b", {"@": [3]})
    database = WordNet.read(write_wordnet(tmp_path, circle))
    assert database.paths(wnid(3), wnid(2)) == []
    assert database.ancestors(wnid(3)) == {wnid(3), wnid(4)}


def test_absent_files_name_the_package(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"no data\.noun.*wordnet-base"):
        WordNet.read(tmp_path)
    monkeypatch.setenv("WNSEARCHDIR", str(tmp_path / "elsewhere"))
    with pytest.raises(InputError, match="elsewhere"):
        WordNet.read()


@pytest.mark.parametrize(
    "line", ["nonsense", "00000099 03 n 02 a 0", "00000099 03 n 01 a 0 002 @ 00000001 n 0000"]
)
def test_broken_files_are_named_with_the_line(tmp_path, line):
    write_wordnet(tmp_path, TINY)
    with (tmp_path / "data.noun").open("a") as file:
        file.write(f"{line} | gloss\n")
    with pytest.raises(InputError) as caught:
        WordNet.read(tmp_path)
    assert caught.value.where == f"{tmp_path / 'data.noun'}:{len(TINY) + 2}"


# === Building ===


def test_a_tree_of_single_paths_without_single_children(tiny):
    tree = build_tree([wnid(11), wnid(8)], tiny)
    # animal, pet and matter would have one child each.
    assert edges(tree, tiny) == {"cat": None, "rock": None}


def test_the_path_that_adds_the_fewest_nodes_wins(tiny):
    # With a cat the pet is there, but dog below animal costs nothing either and is shorter.
    tree = build_tree([wnid(8), wnid(6), wnid(7)], tiny)
    assert edges(tree, tiny) == {
        "animal": None, "cat": "animal", "dog": "animal", "hound": "dog", "terrier": "dog",
    }  # fmt: skip
    # marble: matter is there for the rock, toy and artifact are not.
    tree = build_tree([wnid(13), wnid(11)], tiny)
    assert edges(tree, tiny) == {"matter": None, "marble": "matter", "rock": "matter"}


def test_labels_are_kept_wherever_they_stand(tiny):
    tree = build_tree([wnid(4), wnid(6), wnid(9)], tiny)
    assert edges(tree, tiny) == {"dog": None, "hound": "dog", "sign": None}
    assert compare(tree, tiny) == ([], [])


def test_the_root_is_no_label(tiny):
    with pytest.raises(InputError, match="is the root"):
        build_tree([wnid(2), wnid(6)], tiny)


def test_labels_from_a_file(tiny, tmp_path):
    path = tmp_path / "labels.txt"
    path.write_text(f"{wnid(6)} hound, a dog\n{wnid(8)}\n")
    assert read_wnids(path, tiny) == [wnid(6), wnid(8)]
    for content, message in [
        (f"{wnid(6)}\n{wnid(6)}\n", "2: n00000006 is there twice"),
        (f"{wnid(6)}\nhound\n", "2: 'hound' is no noun of this WordNet"),
        (f"{wnid(6)}\n\n{wnid(8)}\n", "2: '' is no noun"),
    ]:
        path.write_text(content)
        with pytest.raises(InputError, match=message):
            read_wnids(path, tiny)


def test_compare(tiny):
    tree = WordTree([wnid(3), wnid(12), "thing", wnid(6), wnid(8), "x"], [-1, -1, -1, 0, 1, 2])
    assert compare(tree, tiny) == ([2, 5], [4])


# === WordNet 3.0 ===


def test_imagenet_gives_the_papers_number_of_nodes(wordnet):
    if importlib.util.find_spec("tensorflow_datasets") is None:
        pytest.skip("needs the labels in tensorflow-datasets")
    folder = Path(importlib.util.find_spec("tensorflow_datasets").origin).parent
    wnids = read_wnids(folder / "datasets" / "imagenet2012" / "labels.txt", wordnet)
    tree = build_tree(wnids, wordnet)
    assert len(wnids) == 1000
    assert len(tree) == 1369
    assert {tree.names[leaf] for leaf in tree.leaves} == set(wnids)
    assert (tree.group_size[1:] > 1).all()
    unknown, wrong = compare(tree, wordnet)
    assert (unknown, wrong) == ([], [])
    without_path = [name for name in tree.names if wordnet.find("physical entity") not in
                    wordnet.ancestors(name)]  # fmt: skip
    words = {wordnet.name(name) for name in without_path}
    assert words == {"street sign", "traffic light", "bubble"}
    assert all(tree.parent[tree.names.index(name)] == -1 for name in without_path)


def test_9k_tree_agrees_with_wordnet_but_for_four_edges(wordnet, shared_data):
    folder = shared_data / "darknet"
    assert all(name in wordnet for name in read_lines(folder / "9k.labels"))
    tree = WordTree.read(folder / "9k.tree")
    unknown, wrong = compare(tree, wordnet)
    assert unknown == []
    assert int((tree.parent >= 0).sum()) == 9414
    assert {wordnet.name(tree.names[node]) for node in wrong} == {
        "bubble", "signal", "sign", "street sign",
    }  # fmt: skip
