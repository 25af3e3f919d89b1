"""How often a classifier is right."""

import dataclasses
import time

import numpy as np

from yolov2_tf.data.label_pipeline import evaluation_batches
from yolov2_tf.evaluation.distinct_names import distinct_names
from yolov2_tf.models.heads import find_classification_head


@dataclasses.dataclass(frozen=True)
class ClassificationEvaluation:
    """How often a classifier is right. All are fractions.

    Attributes:
        top1: Share of pictures whose most probable leaf is the label, or lies below it.
        top5: Share with such a leaf among the five most probable.
        hierarchical: Mean share of the label's path, from the child of the root to the label,
            that the most probable leaf lies below; equals `top1` without a tree.
        accuracy: `top1` by class, of those that occur, see `distinct_names`.
        images: Number of pictures.
        seconds: What it took.
        has_tree: Whether the classes are a tree's.
    """

    top1: float
    top5: float
    hierarchical: float
    accuracy: dict[str, float]
    images: int
    seconds: float
    has_tree: bool

    def to_json(self):
        """JSON-ready values."""
        values = dataclasses.asdict(self)
        if not values.pop("has_tree"):
            del values["hierarchical"]
        return values

    def table(self, most=30):
        """`rich.table.Table` of the scores and of the `most` classes that fare worst."""
        from rich.table import Table
        from rich.text import Text

        worst = sorted(self.accuracy.items(), key=lambda item: item[1])[:most]
        title = f"{self.images:,} images in {self.seconds:.1f} s"
        if len(worst) < len(self.accuracy):
            title += f", the worst {most} of {len(self.accuracy):,} classes"
        table = Table("class", "top-1 %", title=title, show_footer=True)
        table.columns[0].footer = "\n".join(name for name, _ in self._scores())
        table.columns[1].footer = "\n".join(f"{100 * score:.1f}" for _, score in self._scores())
        for column in table.columns[1:]:
            column.justify = "right"
        for name, share in worst:
            table.add_row(Text(name), f"{100 * share:.1f}")
        return table

    def _scores(self):
        scores = [("top-1", self.top1), ("top-5", self.top5)]
        return [*scores, ("hierarchical", self.hierarchical)] if self.has_tree else scores


def evaluate_classifier(classifier, dataset, *, size=None, batch_size=32, progress=None):
    """Scores a classifier on a data set.

    Args:
        classifier: Model made by `classifier(...)`, which names at least five classes.
        dataset: `ClassificationDataset` whose labels are the model's, and whose images can be
            read, see `yolov2_tf.data.image_check.check_images`.
        size: Side of the input in pixels; None for the model's own.
        batch_size: Pictures at once.
        progress: Shows how far it is, as in `check_images`; an item is a batch.

    Returns:
        `ClassificationEvaluation`.
    """
    start = time.perf_counter()
    leaves = most_probable(classifier, dataset, size=size, batch_size=batch_size, progress=progress)
    return accuracy_of(classifier, dataset, leaves, time.perf_counter() - start)


def most_probable(classifier, dataset, *, size=None, batch_size=32, progress=None):
    """The leaves that a classifier names on each picture of a data set.

    Args:
        classifier: As for `evaluate_classifier`.
        dataset: The same.
        size: The same.
        batch_size: The same.
        progress: The same.

    Returns:
        `(images, k)` int32, the most probable first.
    """
    head = find_classification_head(classifier)
    batches = evaluation_batches(
        dataset, batch_size=batch_size, size=size or head.input_size, resize=head.resize
    )
    batches = progress(batches, -(-len(dataset) // batch_size)) if progress else batches
    found = [classifier.predict_on_batch(images)["labels"] for images, _ in batches]
    return np.concatenate(found)


def accuracy_of(classifier, dataset, leaves, seconds=0.0):
    """Scores what a classifier named.

    Args:
        classifier: As for `evaluate_classifier`.
        dataset: The same.
        leaves: What `most_probable` found on it.
        seconds: What that took.

    Returns:
        `ClassificationEvaluation`.
    """
    head = find_classification_head(classifier)
    labels = np.array([record.label for record in dataset.records])
    paths = head.hierarchy.paths
    right = (paths[leaves] == labels[:, None, None]).any(axis=-1)  # (images, k)
    on_path = paths[labels] >= 0
    shared = ((paths[leaves[:, 0]] == paths[labels]) & on_path).sum(axis=1) / on_path.sum(axis=1)
    names = distinct_names(head.class_names)
    accuracy = {
        names[label]: float(right[labels == label, 0].mean()) for label in np.unique(labels)
    }
    return ClassificationEvaluation(
        top1=float(right[:, 0].mean()),
        top5=float(right[:, :5].any(axis=1).mean()),
        hierarchical=float(shared.mean()),
        accuracy=accuracy,
        images=len(dataset),
        seconds=round(seconds, 2),
        has_tree=head.tree is not None,
    )
