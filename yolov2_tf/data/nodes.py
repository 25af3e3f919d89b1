"""Data sets whose classes are nodes of a label tree."""

import dataclasses

from yolov2_tf.evaluation.distinct_names import distinct_names
from yolov2_tf.trees.class_maps import match_classes, read_class_map


def map_boxes_onto_tree(dataset, tree, node_names=None, class_map=None):
    """Makes the labels of a data set's boxes nodes of a tree.

    Args:
        dataset: `Dataset`.
        tree: `yolov2_tf.trees.wordtree.WordTree`.
        node_names: What people call the nodes, one per node, or None.
        class_map: File with the number of each class's node, such as `coco9k.map`; default: the
            nodes are found by the names of the classes.

    Returns:
        `Dataset` whose classes are the nodes, under their `node_names` if given.

    Raises:
        InputError: If a class has no node, or several nodes have its name.
    """
    names = tuple(node_names or tree.names)
    if _are_nodes(dataset.class_names, tree, node_names, class_map):
        return dataset
    nodes = nodes_of(dataset.class_names, tree, node_names, class_map)
    records = dataset.records.relabelled(nodes[dataset.records.labels])
    return dataclasses.replace(dataset, class_names=names, records=records)


def nodes_of(class_names, tree, node_names=None, class_map=None):
    """The node of each class, `(classes,)` int32; arguments and errors as above."""
    if class_map is None:
        return match_classes(class_names, tree, node_names, takes_map=True)
    return read_class_map(class_map, tree, class_names)


def nodes_by_name(class_names, tree, node_names=None, class_map=None):
    """A dict from each class to its node; of those that share a name the node's number is added."""
    if _are_nodes(class_names, tree, node_names, class_map):
        return {name: node for node, name in enumerate(distinct_names(class_names))}
    nodes = nodes_of(class_names, tree, node_names, class_map)
    return dict(zip(class_names, nodes.tolist(), strict=True))


def _are_nodes(class_names, tree, node_names, class_map):
    return class_map is None and tuple(class_names) == tuple(node_names or tree.names)
