"""What detector and classifier have of their own in a training; the loop is in `training.fit`."""

import dataclasses
import hashlib
import json
from typing import Any, ClassVar

from yolov2_tf.data.dataset import check_records
from yolov2_tf.data.same_classes import check_classes
from yolov2_tf.data.stream_order import pictures_of
from yolov2_tf.errors import InputError
from yolov2_tf.trees.wordtree import WordTree


@dataclasses.dataclass(frozen=True)
class Task:
    """What there is to learn, from which pictures, and how it is scored.

    Attributes:
        dataset: What is trained on, with images that were checked, see
            `yolov2_tf.data.image_check.check_images`.
        validation: What is scored about twenty times during the training, or None.
        tree: `WordTree` whose nodes are the classes of the data sets, or None.
        sources: How the data sets were opened, for the record: names to strings. `data`,
            `validation` and `classification` are places.
    """

    dataset: Any
    validation: Any = None
    tree: WordTree | None = None
    sources: dict = dataclasses.field(default_factory=dict)

    NAME: ClassVar[str]
    """What it is called in the record."""

    RECIPE: ClassVar[type]
    """The `Recipe` that it takes."""

    SCORE: ClassVar[str]
    """Name of the score in the logs, the higher the better."""

    FIGURES: ClassVar[Any]
    """`yolov2_tf.training.progress.Figures` that the progress shows."""

    samples = None
    """`Dataset` whose first pictures TensorBoard shows with their detections, or None."""

    shapes = None
    """`(n, 2)` shapes of the boxes that TensorBoard shows with the anchors, or None."""

    def check(self, recipe):
        """Refuses what cannot be learnt by a recipe.

        Raises:
            InputError: If the data do not suit it, or what is scored has other classes.
        """
        check_records(self.dataset)
        if self.validation is not None:
            check_records(self.validation)
            check_classes(self.validation, self.dataset.class_names, self.dataset.name)

    def check_resume(self, recipe, recorded, epochs):
        """Refuses a recipe that the epochs which are over contradict.

        Args:
            recipe: `Recipe` of what shall be.
            recorded: `Recipe` of what was.
            epochs: Epochs that are over.

        Raises:
            InputError: If they were not what the recipe says.
        """
        if recipe.total_epochs < epochs:
            raise InputError(
                f"epochs was {recorded.total_epochs}, now {recipe.total_epochs}",
                expected=f"at least the {epochs} that are over",
                field="epochs",
            )

    def facts(self):
        """What the record says about the data, as a dict."""
        return {
            "task": self.NAME,
            "data": name_and_size(self.dataset),
            "classification": None,
            "classes": list(self.dataset.class_names),
            "validation": name_and_size(self.validation),
            "tree": None if self.tree is None else _fingerprint(self.tree),
            "sources": dict(self.sources),
        }

    def steps(self, recipe):
        """Batches an epoch; where several make one step of the optimizer, whole steps."""
        return batches_of(len(self.dataset), recipe)

    def build(self, recipe):
        """The network as it is before the first step.

        Raises:
            InputError: If the data do not suit it.
        """
        raise NotImplementedError

    def schedule(self, recipe, plan):
        """The `LearningRateSchedule` over the steps of a whole `Plan`."""
        raise NotImplementedError

    def compile(self, model, recipe, plan, optimizer):
        """Gives a new network its loss."""
        raise NotImplementedError

    def go_on(self, model, plan):
        """Sets what a compiled network of a checkpoint needs for a `Plan` that starts later."""

    def teach(self, model, recipe):
        """Gives a network, new or of a checkpoint, what is not saved with it: its teacher."""

    def batches(self, recipe, plan, **feed):
        """The batches of a `Plan`, from where it starts.

        Args:
            recipe: `Recipe`.
            plan: `Plan`.
            feed: `stand_ins`, `memory` and `share` of `yolov2_tf.data.pipeline.training_batches`.
        """
        raise NotImplementedError

    @property
    def kinds(self):
        """The records that are trained on, a sequence for each kind of picture."""
        return (self.dataset.records,)

    def pictures_of(self, recipe, places):
        """Which pictures come at places of the stream: indices into the `kinds` in a row."""
        return pictures_of(places, len(self.dataset), seed=recipe.seed)

    def scorer(self, every, left_out=None):
        """Callback that adds `SCORE` to the logs of every so many epochs.

        Args:
            every: Epochs, or a function that says of one whether it is scored.
            left_out: For `yolov2_tf.training.scored.ScoredPictures`.
        """
        raise NotImplementedError

    def watchers(self, recipe, checkpoints):
        """Callbacks that only this task needs.

        Args:
            recipe: `Recipe`.
            checkpoints: `Checkpoints` of the run; None in a process that leaves them to the chief.
        """
        return []


def batches_of(pictures, recipe):
    """How many batches that many pictures are, a multiple of the recipe's `accumulate`."""
    return recipe.accumulate * max(1, round(pictures / recipe.batch_size / recipe.accumulate))


def name_and_size(dataset):
    """What the record says about a data set."""
    return None if dataset is None else {"name": dataset.name, "images": len(dataset)}


def _fingerprint(tree):
    text = json.dumps(tree.to_config(), sort_keys=True)
    return f"{len(tree):,} nodes, sha256 {hashlib.sha256(text.encode()).hexdigest()[:16]}"
