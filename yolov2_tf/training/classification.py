"""What is special about the training of a classifier (paper, section 3)."""

import dataclasses
from typing import ClassVar

import keras
import numpy as np

from yolov2_tf.classification.accuracy import accuracy_of, most_probable
from yolov2_tf.classification.classifier import classifier
from yolov2_tf.classification.objectives import PathCrossEntropy, TopAccuracy
from yolov2_tf.data.label_pipeline import classification_batches
from yolov2_tf.data.same_classes import check_classes
from yolov2_tf.errors import InputError
from yolov2_tf.models.darknet19 import Darknet19
from yolov2_tf.models.heads import find_classification_head
from yolov2_tf.schedules import classification_schedule
from yolov2_tf.training.progress import Figures
from yolov2_tf.training.recipes import ClassificationRecipe
from yolov2_tf.training.scored import ScoredPictures, is_due
from yolov2_tf.training.task import Task

BATCH = 32
"""Pictures that are scored at once."""


@dataclasses.dataclass(frozen=True)
class ClassificationTask(Task):
    """To say what a picture shows, as the `ClassificationDataset`s `dataset` and `validation` do.

    With a tree their labels are nodes, see `yolov2_tf.data.labels.map_onto_tree`. With a
    high-resolution stage `model.keras` is the best of that stage.
    """

    NAME = "classification"
    RECIPE = ClassificationRecipe
    SCORE = "val_top1"
    FIGURES: ClassVar = Figures(
        live=("top-1", "top1"),
        parts=(("top-1", "top1"),),
        scores=(
            ("validation top-1", "val_top1"),
            ("top-5", "val_top5"),
            ("hierarchical", "val_hierarchical"),
        ),
    )

    def check(self, recipe):
        super().check(recipe)
        if len(self.dataset.class_names) < 2:
            raise InputError(
                f"only one class, {self.dataset.class_names[0]}: there is nothing to tell apart",
                where=self.dataset.name,
                expected="a folder for each of several classes",
                hint="the folder inside, if that holds them",
            )

    def check_resume(self, recipe, recorded, epochs):
        super().check_resume(recipe, recorded, epochs)
        for epoch in range(epochs):
            was, now = recorded.size_of(epoch), recipe.size_of(epoch)
            if was != now:
                raise InputError(
                    f"epoch {epoch + 1} was at {was} px, now at {now}",
                    expected="stages that begin after the epochs which are over",
                    field="high_resolution",
                )

    def build(self, recipe):
        """A new Darknet-19."""
        keras.utils.set_random_seed(recipe.seed)
        keras.mixed_precision.set_global_policy(recipe.precision)
        return Darknet19(
            self.dataset.class_names,
            input_size=recipe.size,
            resize=recipe.resize,
            width=recipe.width,
            tree=self.tree,
            tree_logits=recipe.tree_logits,
            weight_decay=recipe.weight_decay,
        )

    def schedule(self, recipe, plan):
        fine = recipe.high_resolution[1] if recipe.high_resolution else 0
        steps, fine_steps = plan.steps * (plan.epochs - fine), plan.steps * fine
        return classification_schedule(recipe.learning_rate, steps, fine_steps, recipe.schedule)

    def compile(self, model, recipe, plan, optimizer):
        hierarchy = find_classification_head(model).hierarchy
        model.compile(
            optimizer,
            loss=PathCrossEntropy(hierarchy),
            metrics=[TopAccuracy(hierarchy)],
            jit_compile=False,  # XLA would compile anew for every input size
        )

    def batches(self, recipe, plan, **feed):
        sizes = [(0, recipe.size)]
        if recipe.high_resolution:
            sizes.append((plan.batch_of(recipe.epochs), recipe.high_resolution[0]))
        return classification_batches(
            self.dataset,
            batch_size=recipe.batch_size,
            sizes=sizes,
            resize=recipe.resize,
            zoom=(recipe.zoom, recipe.fine_zoom)[: len(sizes)],
            rotation=recipe.rotation,
            flip=recipe.flip,
            saturation=recipe.saturation,
            exposure=recipe.exposure,
            seed=recipe.seed,
            first_step=plan.first_batch,
            **feed,
        )

    def scorer(self, every, left_out=None):
        return ValidationAccuracy(self.validation, every=every, left_out=left_out)

    def watchers(self, recipe, checkpoints):
        return [InputSize(recipe, checkpoints)]


class ValidationAccuracy(keras.callbacks.Callback):
    """Scores the classifier: adds `val_top1`, `val_top5`, with a tree `val_hierarchical`.

    Of several processes each looks at its part of the pictures, and all have the scores.

    Args:
        dataset: Validation `ClassificationDataset`.
        every: See `yolov2_tf.training.scored.is_due`.
        left_out: For `ScoredPictures`.
    """

    def __init__(self, dataset, *, every=1, left_out=None):
        super().__init__()
        self.pictures = ScoredPictures(dataset, left_out)
        self.every = every

    def set_model(self, model):
        """Keras' hook.

        Raises:
            InputError: If the data set has other classes than the model.
        """
        super().set_model(model)
        names = find_classification_head(model).class_names
        check_classes(self.pictures.dataset, names, "the network")
        # Built once: it shares the weights, and a new graph for each epoch would leak.
        self._classifier = classifier(model)

    def on_epoch_end(self, epoch, logs=None):
        """Keras' hook."""
        if not is_due(self.every, epoch, self.params):
            return
        rows = self.pictures.found(self._find, BATCH)
        leaves = rows[:, 1:].astype(int)
        evaluation = accuracy_of(self._classifier, self.pictures.dataset, leaves)
        logs["val_top1"], logs["val_top5"] = evaluation.top1, evaluation.top5
        if evaluation.has_tree:
            logs["val_hierarchical"] = evaluation.hierarchical

    def _find(self, dataset):
        """A row for each picture: its place, and the leaves that it most probably is."""
        count = self._classifier.output["labels"].shape[-1]
        leaves = np.empty([0, count])
        if len(dataset):
            leaves = most_probable(self._classifier, dataset, batch_size=BATCH)
        return np.column_stack([np.arange(len(dataset)), leaves])


class InputSize(keras.callbacks.Callback):
    """Keeps the size that the model says it is meant for in step with the stages.

    A score of the first stage is one at another size: with the second, the best is sought anew.

    Args:
        recipe: `ClassificationRecipe`.
        checkpoints: `Checkpoints` of the run; None in a process that has none.
    """

    def __init__(self, recipe, checkpoints):
        super().__init__()
        self.recipe = recipe
        self.checkpoints = checkpoints

    def on_epoch_begin(self, epoch, logs=None):
        """Keras' hook."""
        head = find_classification_head(self.model)
        size = self.recipe.size_of(epoch)
        if size != head.input_size:
            head.input_size = size
            if self.checkpoints is not None:
                self.checkpoints.forget()
