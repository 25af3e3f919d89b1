"""Probabilities of a label tree's nodes on tensors (paper, section 4).

Everything is made of gathers, reductions and arithmetic, all TFLite built-ins and known to XLA, on
tensors of at most three axes; beside this `group_softmax` has a faster way for CPUs. Functions take
logits or probabilities with the nodes on the last axis and any axes before it.
"""

import numpy as np
import tensorflow as tf


def group_softmax(logits, tree):
    """Softmax over each group of siblings: Pr(node | parent).

    Args:
        logits: `(..., nodes)`, any floating type. Half types are computed in float32: a group's
            sum in bfloat16 would be off by percents.
        tree: `yolov2_tf.trees.wordtree.WordTree`.

    Returns:
        `(..., nodes)` of the same type, 0..1, summing to 1 in each group.
    """
    return _apply_to_rows(_group_softmax_of_rows, logits, tree)


def absolute_probabilities(conditional, tree):
    """Pr(node), with Pr(root) = 1: the product of the conditionals up to the root.

    Args:
        conditional: `(..., nodes)` Pr(node | parent), from `group_softmax`.
        tree: `yolov2_tf.trees.wordtree.WordTree`.

    Returns:
        `(..., nodes)` of the same type, 0..1. Multiply by the objectness for detection.
    """
    return _apply_to_rows(
        lambda rows, tree: _apply_by_node(_absolute_by_node, [rows], tree), conditional, tree
    )


def descend(conditional, tree, threshold=0.5, *, root=1.0, from_logits=False, always_answer=False):
    """Walks down from the root to the best child while its probability is above a threshold.

    This is `hierarchy_top_prediction` in Darknet's src/tree.c on conditional probabilities, with
    two differences: Darknet's region layer hands it absolute ones (`hierarchy_predictions` ran
    before), so that it counts ancestors many times; and it always answers, see `always_answer`.

    Args:
        conditional: `(..., nodes)` Pr(node | parent), or logits.
        tree: `yolov2_tf.trees.wordtree.WordTree`.
        threshold: The absolute probability of the answer is above this.
        root: Pr(root), a scalar or `(...)`: the objectness in detection.
        from_logits: Whether `conditional` holds logits. Then the softmax is taken only over the
            groups on the way, far less work than `group_softmax` over all.
        always_answer: Whether the best child of the root is the answer even if it is not above
            the threshold, as in Darknet.

    Returns:
        `node` `(...)` int32, the deepest node reached, -1 where not even a child of the root is
        above the threshold, and `probability` `(...)`, its absolute probability, Pr(root) for -1.
    """
    shape = tf.shape(conditional)[:-1]
    values = _at_least_float32(tf.reshape(conditional, [-1, len(tree)]))
    root = tf.cast(root, values.dtype)
    probability = tf.reshape(tf.broadcast_to(root, shape), [-1])
    group = tf.zeros(tf.shape(probability), tf.int32)
    node = group - 1
    for depth, widest in enumerate(_widest_group_by_depth(tree)):
        child, share = _best_child(values, tf.maximum(group, 0), tree, widest, from_logits)
        goes_on = group >= 0
        if depth or not always_answer:
            goes_on &= probability * share > threshold
        node = tf.where(goes_on, child, node)
        probability = tf.where(goes_on, probability * share, probability)
        group = tf.where(goes_on, tf.gather(tree.child_group, child), -1)
    return tf.reshape(node, shape), tf.cast(tf.reshape(probability, shape), conditional.dtype)


def path_cross_entropy(logits, labels, tree, levels=None):
    """Class loss of a tree: cross-entropy in the group of the label and of each ancestor.

    It equals -log Pr(label) with Pr(root) = 1. Only the groups on the path from the root to the
    label count, none below the label (paper, section 4; `delta_region_class` in Darknet's
    src/region_layer.c), so only those are computed.

    Args:
        logits: `(..., nodes)`, any floating type; half types are computed in float32.
        labels: `(...)` integers, nodes at any depth; -1 has no path and the loss 0.
        tree: `yolov2_tf.trees.wordtree.WordTree`.
        levels: Optional `(..., levels)` bool, which groups of the path count, from the root on.

    Returns:
        `(...)` of the logits' type, float32 for half types, at least 0.
    """
    siblings, own, on_path = _along_path(logits, labels, tree)
    if levels is not None:
        on_path &= tf.reshape(levels, tf.shape(on_path))
    entropy = tf.reduce_logsumexp(siblings, axis=-1) - own
    loss = tf.reduce_sum(tf.where(on_path, entropy, 0.0), axis=-1)
    return tf.reshape(loss, tf.shape(labels))


def path_is_best(logits, labels, tree):
    """Whether walking down to the best child each time passes through the label.

    Arguments are those of `path_cross_entropy`; the result is `(...)` bool, True for -1.
    """
    siblings, own, on_path = _along_path(logits, labels, tree)
    best = tf.reduce_all((own >= tf.reduce_max(siblings, axis=-1)) | ~on_path, axis=-1)
    return tf.reshape(best, tf.shape(labels))


def _along_path(logits, labels, tree):
    """The groups on the way from the root to each of M labels.

    Returns:
        `siblings` `(M, levels, widest)`, the logits of each group, the lowest there is where it
        is narrower; `own` `(M, levels)`, that of the node on the path; `on_path` `(M, levels)`
        bool, False at levels below the label.
    """
    values = _at_least_float32(tf.reshape(logits, [-1, len(tree)]))
    flat_labels = tf.reshape(labels, [-1, 1])
    path = tf.gather(tree.paths, tf.maximum(flat_labels[:, 0], 0))
    on_path = (path >= 0) & (flat_labels >= 0)
    path = tf.maximum(path, 0)
    members, known = _members(tf.gather(tree.group, path), tree, tree.group_size.max())
    flat = tf.reshape(members, [tf.shape(members)[0], -1])
    window = tf.reshape(tf.gather(values, flat, batch_dims=1), tf.shape(members))
    siblings = tf.where(known, window, window.dtype.min)
    return siblings, tf.gather(values, path, batch_dims=1), on_path


def _apply_to_rows(function, values, tree):
    """Applies `function` to `values` `(..., nodes)` as a `(rows, nodes)` tensor."""
    rows = tf.reshape(_at_least_float32(values), [-1, len(tree)])
    return tf.cast(tf.reshape(function(rows, tree), tf.shape(values)), values.dtype)


# === Group softmax ===
#
# Groups differ in size, so no reduction of TensorFlow runs over them along the last axis, and a
# gather along it copies single numbers, at 10 ns each. With the nodes first, a gather copies whole
# rows of numbers, and there are two ways to reduce groups. Those of one size make one dense
# tensor: slow, but known to XLA and TFLite and good on a GPU. On a CPU segments are faster, and
# what one step hands to the next stays in the cache if they take a few rows at a time.
#
# Measured for 845 × 9,418 on `9k.tree`, on two cores of an EPYC that other programs used too, in
# units of `tf.nn.softmax` without groups, one fused kernel that passes over memory once (9 ms with
# oneDNN; 14 without, where the rest takes about as long as with it):
#   4       this; forward and backward 3.3 times the plain ones
#   4.5     the same, subtracting the maximum of each group, by segment_max
#   5       the same with unsorted_segment_sum, which XLA and TFLite know
#   5 to 6  a dense tensor per size; forward and backward 5.2 times the plain ones
#   5       sums of gathers on the last axis, compiled by XLA, at all rows at once
#   17      a dense tensor per size by gathers on the last axis
#   50      SparseSoftmax
# 2 is out of reach: copying a few rows at a time and putting them together again costs 1.3 by
# itself, with the exponential 1.8, and with two transposes as well 3.1. Where not every node is
# wanted, `descend` and `path_cross_entropy` cost 1 to 2. Detection and the loss use these alone.

CHUNK = 450_000  # numbers that the steps take at a time on a CPU, 1.8 MB in float32


def _group_softmax_of_rows(logits, tree):
    if len(tree.group_size) == 1:
        return tf.nn.softmax(logits)

    @tf.custom_gradient
    def softmax(logits):
        result = _by_device(
            lambda: _by_chunks(_softmax_of_chunk, [logits], tree),
            lambda: _apply_by_node(_softmax_by_node, [logits], tree),
        )

        def gradient(upstream):
            return _by_device(
                lambda: _by_chunks(_gradient_of_chunk, [result, upstream], tree),
                lambda: _apply_by_node(_gradient_by_node, [result, upstream], tree),
            )

        return result, gradient

    return softmax(logits)


def _by_device(on_cpu, elsewhere):
    """`on_cpu()` under TensorFlow's own CPU kernels; `elsewhere()` on GPUs, in XLA and TFLite."""
    index = tf.raw_ops.DeviceIndex(device_names=["CPU"])
    return tf.switch_case(index, {0: on_cpu}, default=elsewhere)


def _by_chunks(function, tensors, tree):
    """Applies `function` to `(rows, nodes)` tensors a few rows at a time.

    All chunks have the same size, so that their results can be stacked without another copy. The
    last chunk repeats the last row; the surplus results are cut off.
    """
    most = max(1, CHUNK // len(tree))
    rows = tf.shape(tensors[0])[0]
    chunks = tf.maximum(1, (rows + most - 1) // most)
    size = (rows + chunks - 1) // chunks

    def apply(i, results):
        places = tf.minimum(i * size + tf.range(size), rows - 1)
        part = function(*[tf.gather(tensor, places) for tensor in tensors], tree)
        return i + 1, results.write(i, part)

    results = tf.TensorArray(tensors[0].dtype, chunks, element_shape=[None, len(tree)])
    _, results = tf.while_loop(lambda i, _: i < chunks, apply, (0, results))
    return tf.reshape(results.stack(), [-1, len(tree)])[:rows]


def _softmax_of_chunk(logits, tree):
    exponentials = tf.exp(logits)
    sums = _sum_by_group(exponentials, tree)
    # A softmax is the same whatever is subtracted from the logits of a group. Subtracting nothing
    # does as well as the maximum if no sum overflows, and none is so small that anything above
    # 2^-66 of it underflows. Logits of -41 to 60 always fit, NaNs never. The way that takes any
    # logits makes it all take 1.6 times as long.
    in_range = (tf.reduce_min(sums) > 2.0**-60) & (tf.reduce_max(sums) < 2.0**100)
    return tf.cond(
        in_range,
        lambda: exponentials * _at_nodes(1 / sums, tree),
        lambda: _apply_by_node(_softmax_by_node, [logits], tree),
    )


def _gradient_of_chunk(p, upstream, tree):
    return p * (upstream - _at_nodes(_sum_by_group(p * upstream, tree), tree))


def _sum_by_group(values, tree):
    """`(groups, rows)`, the sum over each group of `values` `(rows, nodes)`."""
    return tf.math.segment_sum(tf.transpose(values), tree.group)


def _at_nodes(values, tree):
    """`(rows, nodes)`, for each node what `values` `(groups, rows)` hold for its group."""
    return tf.transpose(tf.gather(values, tree.group))


def _softmax_by_node(logits, tree):
    def softmax(part):
        part = tf.exp(part - tf.reduce_max(part, axis=0))
        return part / tf.reduce_sum(part, axis=0)

    return _by_size(softmax, [logits], tree)


def _gradient_by_node(p, upstream, tree):
    def gradient(p, upstream):
        return p * (upstream - tf.reduce_sum(p * upstream, axis=0))

    return _by_size(gradient, [p, upstream], tree)


def _by_size(function, tensors, tree):
    """Applies `function` to all groups of `(nodes, rows)` tensors.

    Each call gets all groups of one size, as a `(size, groups of this size, rows)` tensor.
    """
    parts, order = [], []
    for size in np.unique(tree.group_size):
        groups = tree.group_offset[tree.group_size == size]
        members = groups + np.arange(size, dtype=np.int32)[:, None]
        part = function(*[tf.gather(tensor, members) for tensor in tensors])
        parts.append(tf.reshape(part, [members.size, -1]))
        order.append(members.ravel())
    return _restore_order(parts, order)


# === By node ===


def _apply_by_node(function, tensors, tree):
    """Applies `function` to `(rows, nodes)` tensors as `(nodes, rows)` ones."""
    return tf.transpose(function(*[tf.transpose(tensor) for tensor in tensors], tree))


def _absolute_by_node(conditional, tree):
    parts, order = [], []
    place = np.zeros(len(tree), np.int32)  # of a node among those of its depth
    for depth in range(tree.depth.max() + 1):
        nodes = np.flatnonzero(tree.depth == depth).astype(np.int32)
        place[nodes] = np.arange(len(nodes))
        part = tf.gather(conditional, nodes)
        if depth:
            part *= tf.gather(parts[-1], place[tree.parent[nodes]])
        parts.append(part)
        order.append(nodes)
    return _restore_order(parts, order)


def _restore_order(parts, order):
    """Concatenates rows that were gathered in the given order, and undoes that order."""
    place = np.argsort(np.concatenate(order)).astype(np.int32)
    return tf.gather(tf.concat(parts, axis=0), place)


# === By group ===


def _members(groups, tree, widest):
    """The nodes of `groups` `(...)`: `(..., widest)` int32, and which of them are real."""
    place = np.arange(widest, dtype=np.int32)
    known = place < tf.gather(tree.group_size, groups)[..., None]
    return tf.gather(tree.group_offset, groups)[..., None] + tf.where(known, place, 0), known


def _best_child(values, group, tree, widest, from_logits):
    """The most probable node of each row's `group` `(rows,)`, and its conditional probability."""
    members, known = _members(group, tree, widest)
    window = tf.where(known, tf.gather(values, members, batch_dims=1), values.dtype.min)
    if from_logits:
        window = tf.nn.softmax(window)
    best = tf.argmax(window, axis=-1, output_type=tf.int32)
    return tf.gather(tree.group_offset, group) + best, tf.reduce_max(window, axis=-1)


def _widest_group_by_depth(tree):
    widest = np.zeros(tree.depth.max() + 1, int)
    np.maximum.at(widest, tree.depth, tree.group_size[tree.group])
    return widest


def _at_least_float32(values):
    values = tf.convert_to_tensor(values)
    return values if values.dtype == tf.float64 else tf.cast(values, tf.float32)
