"""`yolov2_tf.detection.decoding` in NumPy, for files that end in the raw head tensor."""

import numpy as np

MAX_LOG_SCALE = np.float32(10.0)  # as in yolov2_tf.detection.decoding, which loads TensorFlow


def decode(layout, raw):
    """The raw head tensor to what a file without suppression gives.

    Args:
        layout: `Layout` of the file: anchors, classes, tree.
        raw: `(B, S, S, k · (5 + C))` float32.

    Returns:
        Dict of `boxes` `(B, M, 4)` and `scores` `(B, M, C)`; with a tree of `boxes`, `scores`
        `(B, M)` and `labels` `(B, M)`. M = S · S · k in row-major order, the anchor fastest.
    """
    batch, rows, columns, depth = raw.shape
    anchors = np.array(layout.anchors, np.float32)
    predictions = raw.reshape(batch, -1, depth // len(anchors)).astype(np.float32, copy=False)
    boxes = _boxes(predictions[..., :4], anchors, rows, columns)
    objectness, logits = _sigmoid(predictions[..., 4:5]), predictions[..., 5:]
    if layout.tree is None:
        return {"boxes": boxes, "scores": objectness * _softmax(logits)}
    labels, probability = _descend(logits, layout.tree, layout.tree_threshold)
    return {"boxes": boxes, "scores": objectness[..., 0] * probability, "labels": labels}


def _boxes(coordinates, anchors, rows, columns):
    place = np.arange(rows * columns * len(anchors)) // len(anchors)
    cells = np.stack([place % columns, place // columns], axis=1).astype(np.float32)
    priors = np.tile(anchors, [rows * columns, 1])
    size = np.array([columns, rows], np.float32)
    centers = (cells + _sigmoid(coordinates[..., :2])) / size
    half = priors * np.exp(np.minimum(coordinates[..., 2:4], MAX_LOG_SCALE)) / (2 * size)
    return np.concatenate([(centers - half)[..., ::-1], (centers + half)[..., ::-1]], axis=-1)


def _descend(logits, tree, threshold):
    """The deepest node reached and its probability, as `DecodeTree` tells: `(B, M)` each."""
    values = logits.reshape(-1, logits.shape[-1])
    node = np.full(len(values), -1)
    group = np.zeros(len(values), int)
    probability = np.ones(len(values), np.float32)
    widest = np.arange(max(tree.group_size))
    while (going := np.flatnonzero(group >= 0)).size:
        own = group[going]
        known = widest < tree.group_size[own][:, None]
        members = tree.group_offset[own][:, None] + np.where(known, widest, 0)
        window = np.where(known, values[going[:, None], members], np.finfo(np.float32).min)
        shares = _softmax(window)
        best = shares.argmax(axis=1)
        child = tree.group_offset[own] + best
        reached = probability[going] * shares[np.arange(len(going)), best]
        on = (reached > threshold) | (node[going] < 0)  # the best child of the root in any case
        node[going[on]], probability[going[on]] = child[on], reached[on]
        group[going] = np.where(on, tree.child_group[child], -1)
    shape = logits.shape[:-1]
    return node.reshape(shape).astype(np.int32), probability.reshape(shape)


def _sigmoid(x):
    return np.exp(-np.logaddexp(np.float32(0), -x))


def _softmax(x):
    exponentials = np.exp(x - x.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)
