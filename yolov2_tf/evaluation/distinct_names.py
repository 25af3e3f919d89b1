"""Names of classes for what goes by names: tables, files of results, annotations."""

import collections


def distinct_names(class_names):
    """The names, with the label added to those that repeat, as `head` does in YOLO9000's.

    Nodes of a label tree may share a name, a crane is a bird and a machine; in what goes by names
    one would take the place of the other.
    """
    times = collections.Counter(class_names)
    return [f"{name} ({i})" if times[name] > 1 else name for i, name in enumerate(class_names)]
