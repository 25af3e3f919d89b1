"""The classifier's training recipe (paper, section 3), around Keras' `fit`."""

from pathlib import Path

import keras

from yolov2_tf.classification.accuracy import evaluate_classifier
from yolov2_tf.classification.objectives import PathCrossEntropy, TopAccuracy
from yolov2_tf.classification.predict import classifier
from yolov2_tf.data.label_pipeline import classification_batches
from yolov2_tf.models.darknet19 import Darknet19
from yolov2_tf.models.heads import find_classification_head
from yolov2_tf.models.loading import load_model
from yolov2_tf.models.transfer import transfer_weights
from yolov2_tf.schedules import classification_schedule
from yolov2_tf.training.callbacks import Checkpoints, Figures, History, Progress, Throughput
from yolov2_tf.training.run import (
    checked_last,
    make_optimizer,
    read_history,
    strategy,
    write_config,
)

FIGURES = Figures(
    live=("top-1", "top1"),
    parts=(("top-1", "top1"),),
    scores=(
        ("validation top-1", "val_top1"),
        ("top-5", "val_top5"),
        ("hierarchical", "val_hierarchical"),
    ),
)


def train_classifier(
    recipe,
    dataset,
    folder,
    *,
    tree=None,
    validation=None,
    weights=None,
    resume=False,
    console=None,
):
    """Trains Darknet-19 and leaves a run folder, with the files that a detector's run has.

    With a high-resolution stage `model.keras` is the best of that stage.

    Args:
        recipe: `ClassificationRecipe`.
        dataset: Training `ClassificationDataset` whose images were checked; with a tree its labels
            are nodes, see `yolov2_tf.data.labels.map_onto_tree`.
        folder: Folder of the run.
        tree: `WordTree` of the classes, or None.
        validation: `ClassificationDataset` that is scored about twenty times, or None.
        weights: `.keras` file whose fitting weights the network starts with, or None.
        resume: Goes on with the run in `folder` from its last epoch.
        console: `rich.console.Console` for the progress; None for silence.

    Returns:
        The rows of `history.csv`.

    Raises:
        InputError: If there is nothing to resume, or no weight fits.
    """
    folder = Path(folder)
    steps = max(1, round(len(dataset) / recipe.batch_size))
    with strategy().scope():
        if resume:
            model = load_model(checked_last(folder))
        else:
            model = _new_model(recipe, dataset, tree)
            if weights is not None:
                report = transfer_weights(model, load_model(weights))
                if console is not None:
                    console.print(str(report), highlight=False)
            _compile(model, recipe, steps)
    done = int(model.optimizer.iterations) // steps
    rows = read_history(folder, done) if resume else []
    write_config(
        folder,
        recipe,
        data={"name": dataset.name, "images": len(dataset)},
        classes=list(dataset.class_names),
        validation=validation and {"name": validation.name, "images": len(validation)},
    )
    model.fit(
        _batches(recipe, dataset, steps, done),
        steps_per_epoch=steps,
        initial_epoch=done,
        epochs=recipe.total_epochs,
        callbacks=_callbacks(recipe, steps, folder, rows, validation, console),
        shuffle=False,  # the stream is in random order already
        verbose=0,
    )
    return read_history(folder, recipe.total_epochs)


def _new_model(recipe, dataset, tree):
    keras.utils.set_random_seed(recipe.seed)
    keras.mixed_precision.set_global_policy(recipe.precision)
    return Darknet19(
        dataset.class_names,
        input_size=recipe.size,
        resize=recipe.resize,
        width=recipe.width,
        tree=tree,
        weight_decay=recipe.weight_decay,
    )


def _compile(model, recipe, steps):
    fine_steps = steps * (recipe.total_epochs - recipe.epochs)
    schedule = classification_schedule(recipe.learning_rate, steps * recipe.epochs, fine_steps)
    hierarchy = find_classification_head(model).hierarchy
    model.compile(
        make_optimizer(recipe.optimizer, schedule, recipe.precision),
        loss=PathCrossEntropy(hierarchy),
        metrics=[TopAccuracy(hierarchy)],
        jit_compile=False,  # XLA would compile anew for every input size
    )


def _batches(recipe, dataset, steps, done):
    sizes = [(0, recipe.size)]
    if recipe.high_resolution:
        sizes.append((steps * recipe.epochs, recipe.high_resolution[0]))
    return classification_batches(
        dataset,
        batch_size=recipe.batch_size,
        sizes=sizes,
        resize=recipe.resize,
        zoom=recipe.zoom,
        flip=recipe.flip,
        seed=recipe.seed,
        first_step=done * steps,
    )


def _callbacks(recipe, steps, folder, rows, validation, console):
    callbacks = [Throughput(steps * recipe.batch_size)]
    if validation is not None:
        every = max(1, recipe.total_epochs // 20)
        callbacks.append(ValidationAccuracy(validation, every=every))
    checkpoints = Checkpoints(folder, _best(recipe, rows), score="val_top1")
    callbacks += [InputSize(recipe, checkpoints), checkpoints, History(folder, rows)]
    if console is not None:
        callbacks.append(Progress(recipe.batch_size, console, FIGURES))
    return callbacks


def _best(recipe, rows):
    """The best score of the stage in which a run stopped."""
    sizes = [recipe.size_of(int(row["epoch"]) - 1) for row in rows]
    scores = [
        float(row["val_top1"])
        for row, size in zip(rows, sizes, strict=True)
        if row.get("val_top1") and size == sizes[-1]
    ]
    return max(scores, default=float("-inf"))


class ValidationAccuracy(keras.callbacks.Callback):
    """Scores the classifier: adds `val_top1`, `val_top5`, with a tree `val_hierarchical`.

    Args:
        dataset: Validation `ClassificationDataset`.
        every: Epochs between two scorings; the last epoch is always scored.
    """

    def __init__(self, dataset, *, every=1):
        super().__init__()
        self.dataset = dataset
        self.every = every

    def set_model(self, model):
        """Keras' hook."""
        super().set_model(model)
        # Built once: it shares the weights, and a new graph for each epoch would leak.
        self._classifier = classifier(model)

    def on_epoch_end(self, epoch, logs=None):
        """Keras' hook."""
        if (epoch + 1) % self.every and epoch + 1 < self.params["epochs"]:
            return
        evaluation = evaluate_classifier(self._classifier, self.dataset)
        logs["val_top1"], logs["val_top5"] = evaluation.top1, evaluation.top5
        if evaluation.has_tree:
            logs["val_hierarchical"] = evaluation.hierarchical


class InputSize(keras.callbacks.Callback):
    """Keeps the size that the model says it is meant for in step with the stages.

    A score of the first stage is one at another size: with the second, the best is sought anew.

    Args:
        recipe: `ClassificationRecipe`.
        checkpoints: `Checkpoints` of the run.
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
            self.checkpoints.forget()
