"""How much each class counts in the loss of the class."""

import numpy as np


def balanced(dataset, classification=None, ratio=(1, 0)):
    """Factors of the class loss that give every class that occurs the same share in it.

    Args:
        dataset: Training `Dataset`.
        classification: `ClassificationDataset` of the same classes that is mixed in, or None.
        ratio: How many pictures of each, as in `yolov2_tf.data.pipeline.training_batches`.

    Returns:
        `(C,)` floats whose mean over the training examples is 1; 1 for classes that do not occur.
    """
    labels = np.concatenate([np.zeros(0, int), *(r.labels[~r.ignore] for r in dataset.records)])
    frequency = np.bincount(labels, minlength=len(dataset.class_names)) * ratio[0] / len(dataset)
    if classification is not None:
        labels = [record.label for record in classification.records]
        counts = np.bincount(labels, minlength=len(frequency))
        frequency += counts * ratio[1] / len(classification)
    occur = frequency > 0
    share = frequency.sum() / occur.sum()
    return np.where(occur, share / np.where(occur, frequency, 1), 1.0)


def classes_with_boxes(dataset, tree=None):
    """The classes of a data set's boxes, and with a `WordTree` their ancestors: sorted indices."""
    labels = {int(label) for record in dataset.records for label in record.labels[~record.ignore]}
    if tree is not None:
        labels |= {int(node) for label in labels for node in tree.paths[label] if node >= 0}
    return sorted(labels)
