"""`yolov2 wordtree`: builds, shows and checks label trees."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from yolov2_tf.cli.local import Json, LocalCommand, LocalText

app = typer.Typer(
    help="Label trees (YOLO9000): build from WordNet, show, check.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

ROOT = "physical object"

Tree = Annotated[Path, typer.Argument(help="Tree file, e.g. `9k.tree`.", metavar="TREE")]
Names = Annotated[Path | None, typer.Option(help="What people call the nodes, one per line.")]


@app.command(cls=LocalCommand)
def build(
    leaves: Annotated[
        list[LocalText],
        typer.Option(
            parser=LocalText,
            metavar="coco|voc|FILE|FOLDER",
            help="The classes: `coco`, `voc`, a file with n02084071, dog=n02084071 or dog on each "
            "line, or ImageNet's folder. May be given several times.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="Tree file to write.")],
    wordnet: Annotated[
        Path | None, typer.Option(help="Folder of WordNet 3.0. Default: where Debian puts it.")
    ] = None,
    names: Annotated[
        Path | None, typer.Option(help="Also write what people call the nodes, one per line.")
    ] = None,
    map_out: Annotated[
        Path | None,
        typer.Option(help="Also write each class's node, of the first list, for `train --map`."),
    ] = None,
    json: Json = None,
):
    """Build a tree from WordNet for lists of labels, as the paper does (section 4).

    WordNet 3.0 comes with Debian's package `wordnet-base`. The 1,000 classes of ImageNet give the
    paper's tree of 1,369 nodes, if they come in the order of their ids.

    A name of several senses is asked for in a terminal; elsewhere it is an error that lists them.

    **Examples**
    `yolov2 wordtree build --leaves wnids.txt --out my.tree`

    `yolov2 wordtree build --leaves coco --leaves imagenet/ --out my.tree --map-out coco.map`

    `yolov2 wordtree build --leaves wnids.txt --out my.tree --names my.names --json -`
    """
    from yolov2_tf.cli.parsing import messages, write_json
    from yolov2_tf.trees.label_lists import read_labels
    from yolov2_tf.trees.wordnet import WordNet, build_tree

    database = WordNet.read(wordnet)
    choose = _chooser(database) if sys.stdin.isatty() and json != "-" else None
    lists = [read_labels(source, database, choose) for source in leaves]
    called = {}  # what each synset is called by the first list that has a name for it
    for label in (label for labels in lists for label in labels):
        if called.get(label.wnid) is None:
            called[label.wnid] = label.name
    tree = build_tree(list(called), database)
    tree.write(out)
    if names is not None:
        _write_lines(names, [called.get(wnid) or database.name(wnid) for wnid in tree.names])
    if map_out is not None:
        _write_lines(map_out, [tree.names.index(label.wnid) for label in lists[0]])
    if json is not None:
        write_json(_summary(tree), json)
    messages().print(f"{out}: {_sentence(tree)}", highlight=False, soft_wrap=True)


@app.command(cls=LocalCommand)
def show(
    path: Tree,
    node: Annotated[
        str | None, typer.Option(help="Begin here: a name in the tree or --names.")
    ] = None,
    depth: Annotated[int, typer.Option(min=0, help="Levels below the first to show.")] = 2,
    names: Names = None,
    plot: Annotated[Path | None, typer.Option(help="Draw it as a PNG instead of printing.")] = None,
):
    """Print a tree, or the part below a node, or draw it.

    **Examples**
    `yolov2 wordtree show 9k.tree --names 9k.names --depth 1`

    `yolov2 wordtree show 9k.tree --names 9k.names --node "hunting dog" --plot dogs.png`
    """  # fmt: skip
    from yolov2_tf.cli.console import make_console
    from yolov2_tf.trees.class_maps import match_classes, read_node_names
    from yolov2_tf.trees.wordtree import WordTree

    tree = WordTree.read(path)
    labels = None if names is None else read_node_names(names, tree)
    first = -1 if node is None else int(match_classes([node], tree, labels)[0])
    if plot is None:
        make_console().print(_branch(tree, first, depth, labels))
    else:
        from yolov2_tf.drawing.tree import plot_tree

        plot_tree(tree, plot, node=first, levels=depth, title=ROOT, labels=labels)


@app.command(cls=LocalCommand)
def check(
    path: Tree,
    names: Names = None,
    wordnet: Annotated[
        Path | None, typer.Option(help="Folder of WordNet 3.0, to hold the tree against.")
    ] = None,
    json: Json = None,
):
    """Check a tree file: order, groups, names; with WordNet also who stands below whom.

    An invalid file ends with exit code 2 and the line. A parent that WordNet does not list among
    a node's hypernyms is no error (`9k.tree` has four of these) and is only listed.

    **Examples**
    `yolov2 wordtree check 9k.tree --names 9k.names`

    `yolov2 wordtree check 9k.tree --wordnet /usr/share/wordnet --json -`
    """
    from yolov2_tf.cli.console import make_console
    from yolov2_tf.cli.parsing import write_json
    from yolov2_tf.trees.class_maps import read_node_names
    from yolov2_tf.trees.wordtree import WordTree

    tree = WordTree.read(path)
    labels = None if names is None else read_node_names(names, tree)
    report = {
        **_summary(tree),
        "top_nodes": len(tree.children(-1)),
        "largest_group": int(tree.group_size.max()),
    }
    if wordnet is not None:
        report.update(_against_wordnet(tree, wordnet, labels))
    if json is not None:
        write_json(report, json)
    if json != "-":
        _print_report(make_console(), path, tree, report)


# === Parts ===


def _chooser(wordnet):
    """Function that asks which of its senses a name means."""
    from yolov2_tf.trees.label_lists import sense_text

    def choose(name, senses):
        typer.echo(f"{name}:")
        for number, wnid in enumerate(senses, 1):
            typer.echo(f"  {number}  {sense_text(wnid, wordnet)}")
        number = typer.prompt("which", type=typer.IntRange(1, len(senses)), default=1)
        return senses[number - 1]

    return choose


def _write_lines(path, values):
    from yolov2_tf.files import replacing

    with replacing(path) as temporary:
        temporary.write_text("".join(f"{value}\n" for value in values), encoding="utf-8")


def _summary(tree):
    return {
        "nodes": len(tree),
        "leaves": len(tree.leaves),
        "groups": len(tree.group_size),
        "depth": int(tree.depth.max()) + 1,
    }


def _sentence(tree):
    counts = _summary(tree)
    return "{nodes:,} nodes, {leaves:,} leaves, {groups:,} groups, {depth} levels".format(**counts)


def _against_wordnet(tree, folder, labels):
    """The edges of the tree and those that WordNet does not know, for the report."""
    from yolov2_tf.trees.wordnet import WordNet, compare

    database = WordNet.read(folder)
    unknown, wrong = compare(tree, database)

    def named(wnid, node):
        return f"{wnid} ({database.name(wnid) if labels is None else labels[node]})"

    return {
        "edges": int((tree.parent >= 0).sum()),
        "disagreeing": [
            {
                "node": named(tree.names[node], node),
                "parent": named(tree.names[tree.parent[node]], tree.parent[node]),
                "wordnet": [
                    f"{wnid} ({database.name(wnid)})"
                    for wnid in database.synsets[tree.names[node]].hypernyms
                ],
            }
            for node in wrong
        ],
        "unknown": [tree.names[node] for node in unknown],
    }


def _print_report(console, path, tree, report):
    def line(text):
        console.print(text, highlight=False, soft_wrap=True)

    line(f"{path}: {_sentence(tree)}")
    line(f"{report['top_nodes']} top nodes, the largest group has {report['largest_group']}")
    if "edges" not in report:
        return
    disagreeing, unknown = report["disagreeing"], report["unknown"]
    line(f"{report['edges']:,} edges, {len(disagreeing)} of them not in WordNet:")
    for edge in disagreeing:
        line(f"  {edge['node']} below {edge['parent']}; WordNet: {', '.join(edge['wordnet'])}")
    if unknown:
        line(f"{len(unknown):,} nodes that WordNet does not know: {', '.join(unknown[:10])}")


def _branch(tree, node, depth, labels):
    """A `rich.tree.Tree` of `node` and `depth` levels below it."""
    from rich.text import Text
    from rich.tree import Tree as Branch

    def text(node, hidden):
        if node < 0:
            label = Text(ROOT, "bold")
        elif labels is None:
            label = Text(tree.names[node], "bold")
        else:
            label = Text.assemble((labels[node], "bold"), "  ", (tree.names[node], "dim"))
        return label.append(f"  +{hidden}", "cyan") if hidden else label

    def grow(branch, node, depth):
        if depth:
            for child in tree.children(node):
                below = len(tree.children(child)) if depth == 1 else 0
                grow(branch.add(text(child, below)), child, depth - 1)

    root = Branch(text(node, 0 if depth else len(tree.children(node))), guide_style="dim")
    grow(root, node, depth)
    return root
