"""Which nodes of a label tree a network gives logits of itself."""

from yolov2_tf.errors import InputError

TREE_LOGITS = ("nodes", "leaves")
"""See `yolov2_tf.models.heads.Head`."""


def checked_tree_logits(tree_logits, tree):
    """`tree_logits` of a head, see `Head`.

    Raises:
        InputError: If there is no such way, or no tree whose leaves could have the logits.
    """
    if tree_logits not in TREE_LOGITS:
        raise InputError(f"tree_logits is {tree_logits!r}", expected=" or ".join(TREE_LOGITS))
    if tree_logits == "leaves" and tree is None:
        raise InputError("tree_logits is leaves", expected="a tree that has some")
    return tree_logits
