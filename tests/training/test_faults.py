"""What a training does when it is stopped, its files are damaged, or its figures are no numbers."""

import dataclasses
import errno
import json
import math
import os
import resource
import shutil
import signal
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from rich.console import Console

from tests.training.test_fit import RECIPE, SEEN, TASK, changed, contents
from yolov2_tf.data.image_check import check_images
from yolov2_tf.data.records import ClassificationDataset, Dataset, LabelledImage, Record
from yolov2_tf.errors import InputError, Stopped
from yolov2_tf.models.loading import load_model
from yolov2_tf.training import callbacks
from yolov2_tf.training.checkpoint import load
from yolov2_tf.training.classification import ClassificationTask
from yolov2_tf.training.detection import DetectionTask
from yolov2_tf.training.fit import train
from yolov2_tf.training.recipes import ClassificationRecipe, DetectionRecipe
from yolov2_tf.training.run import Run


class At(keras.callbacks.Callback):
    """Does something behind a step, counted from 1 over all epochs."""

    def __init__(self, step, action):
        super().__init__()
        self.left = step
        self.action = action

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            self.action()


def check_same(whole, other):
    models = [load(folder / "last.keras")[0] for folder in (whole, other)]
    for one, two in zip(*(model.weights for model in models), strict=True):
        np.testing.assert_array_equal(one, two)
    rows = [Run(folder).rows() for folder in (whole, other)]
    for row in (*rows[0], *rows[1]):
        del row["seconds"], row["images_per_second"]
    assert rows[0] == rows[1]
    names = [sorted(path.name for path in folder.iterdir()) for folder in (whole, other)]
    assert names[0] == names[1]


# === Stopped ===


@pytest.fixture
def heard():
    """Signals are heard, even where a shell's background job runs the tests, which ignores some."""
    handlers = {signal.SIGTERM: signal.SIG_DFL, signal.SIGINT: signal.default_int_handler}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_signal_ends_a_run_with_a_checkpoint_of_that_step(tmp_path, heard):
    recipe = changed(epochs=2, batch_size=2, mean=0.9)  # four steps an epoch
    train(TASK, recipe, tmp_path / "whole")
    for step in range(1, 8):
        number = (signal.SIGTERM, signal.SIGINT)[step % 2]
        folder, before = tmp_path / str(step), signal.getsignal(number)
        # Callbacks come last: what saves looks for the signal at the epoch's end or the next step.
        stop = At(step, lambda number=number: os.kill(os.getpid(), number))
        with pytest.raises(Stopped, match=f"stopped by {number.name} after") as stopped:
            train(TASK, recipe, folder, callbacks=[stop])
        assert stopped.value.number == number
        assert signal.getsignal(number) == before
        _, state = load(folder / "last.keras")
        done = step if step == 4 else step + 1
        assert 4 * state.position.epoch + state.position.step == done
        SEEN.clear()
        train(TASK, None, folder, resume=True)
        assert SEEN[:1] == [2 * done] or step == 7
        check_same(tmp_path / "whole", folder)


def test_the_history_is_drawn_first_and_last_and_before_a_stop(tmp_path, heard, monkeypatch):
    drawn, recipe = [], changed(epochs=4, batch_size=2)
    monkeypatch.setattr(callbacks, "plot_history", lambda rows, _: drawn.append(len(rows)))
    for share, expected in ((1e-9, [1, 4]), (math.inf, [1, 2, 3, 4])):
        monkeypatch.setattr(callbacks.History, "SHARE", share)
        drawn.clear()
        train(TASK, recipe, tmp_path / str(share))
        assert drawn == expected
    monkeypatch.setattr(callbacks.History, "SHARE", 1e-9)
    drawn.clear()
    stop = At(9, lambda: os.kill(os.getpid(), signal.SIGTERM))  # the first step of the third epoch
    with pytest.raises(Stopped):
        train(TASK, recipe, tmp_path / "stopped", callbacks=[stop])
    assert drawn == [1, 2]
    train(TASK, None, tmp_path / "stopped", resume=True)
    assert drawn == [1, 2, 3, 4]


def test_checkpoints_come_by_time_too(tmp_path):
    seen = []

    def look():
        path = tmp_path / "last.keras"
        seen.append(load(path)[1].position.step if path.exists() else None)

    train(TASK, changed(batch_size=2), tmp_path, callbacks=[At(i, look) for i in (2, 3)])
    assert seen == [None, None]  # not within ten minutes
    shutil.rmtree(tmp_path)
    recipe = changed(batch_size=2, checkpoint_minutes=0)
    train(TASK, recipe, tmp_path, callbacks=[At(i, look) for i in (2, 3)])
    assert seen[2:] == [2, 3]


def test_another_batch_size_in_mid_epoch_goes_on_at_the_same_pictures(tmp_path, heard):
    stop = At(1, lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(Stopped):
        train(TASK, changed(batch_size=2), tmp_path, callbacks=[stop])
    SEEN.clear()
    rows = train(TASK, changed(batch_size=4), tmp_path, resume=True)
    assert len(rows) == 2
    assert SEEN[0] == 4
    assert load(tmp_path / "last.keras")[1].position.images == 16


# === Damaged files ===


def damage(path, how):
    content = path.read_bytes()
    middle = len(content) // 2
    if how == "flipped":
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :])
    elif how == "cut":
        path.write_bytes(content[:middle])
    elif how == "empty":
        path.write_bytes(b"")
    else:
        path.unlink()


@pytest.mark.parametrize("how", ["flipped", "cut", "empty", "gone"])
def test_a_damaged_checkpoint_falls_back_to_the_one_before(tmp_path, how):
    recipe = changed(epochs=3)
    train(TASK, recipe, tmp_path / "whole")
    folder = shutil.copytree(tmp_path / "whole", tmp_path / "damaged")
    for name in (".last.keras.abcdefgh", ".model.keras.01_3qrst", ".mine"):
        (folder / name).mkdir()
    damage(folder / "last.keras", how)
    console = Console(record=True, width=300)
    train(TASK, None, folder, resume=True, console=console)
    assert "going on from previous.keras" in console.export_text()
    (folder / ".mine").rmdir()  # what is not ours stays
    check_same(tmp_path / "whole", folder)
    damage(folder / "last.keras", how)
    (folder / "previous.keras").write_bytes(b"")
    with pytest.raises(InputError, match=r"damaged|no such file|cannot be read"):
        train(TASK, None, folder, resume=True)


def limit_files(size):
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))


def test_a_full_disk_is_one_message_and_the_last_checkpoint_stays(tmp_path):
    before = {}

    def fill():
        before.update(contents(tmp_path))
        limit_files(3000)

    try:
        with pytest.raises(InputError, match=r"cannot be written to: File too large.*--resume"):
            train(TASK, changed(epochs=3), tmp_path, callbacks=[At(4, fill)])
    finally:
        limit_files(resource.RLIM_INFINITY)
    after = contents(tmp_path)
    for name in ("last.keras", "previous.keras", "config.json"):
        key = types.SimpleNamespace(name=name)
        found = [value for path, value in after.items() if path.name == key.name]
        assert found == [value for path, value in before.items() if path.name == name], name
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert len(train(TASK, None, tmp_path, resume=True)) == 3


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO])
def test_what_the_system_says_is_said(tmp_path, monkeypatch, code):
    def fail(*_, **__):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("yolov2_tf.training.callbacks.save", fail)
    with pytest.raises(InputError, match=os.strerror(code)):
        train(TASK, RECIPE, tmp_path)


def test_a_folder_that_vanishes_is_not_made_anew(tmp_path):
    folder = tmp_path / "run"
    with pytest.raises(InputError, match="the folder of the run has vanished"):
        train(TASK, RECIPE, folder, callbacks=[At(3, lambda: shutil.rmtree(folder))])
    assert not folder.exists()


# === No numbers ===


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """Twelve pictures with a box each, in files."""
    folder = tmp_path_factory.mktemp("scenes")
    draw = np.random.default_rng(0)
    records = []
    for i in range(12):
        picture = draw.integers(0, 80, (64, 64, 3), np.uint8)
        low, high = draw.uniform(0.1, 0.3, 2), draw.uniform(0.5, 0.9, 2)
        y0, x0, y1, x1 = (np.concatenate([low, high]) * 64).astype(int)
        picture[y0:y1, x0:x1] = 200
        path = folder / f"{i}.png"
        Image.fromarray(picture).save(path)
        box = np.float32([[*low, *high]])
        records.append(Record(str(path), str(i), box, np.int32([i % 2]), np.array([False])))
    return Dataset("scenes", ("a", "b"), records)


TINY = DetectionRecipe(model="tiny", width=0.01, size=64, anchors=2, epochs=2, batch_size=2)


def test_the_first_loss_that_is_no_number_ends_a_run(tmp_path, scenes):
    recipe = dataclasses.replace(TINY, learning_rate=1e30, checkpoint_minutes=0)
    with pytest.raises(InputError) as error:
        train(DetectionTask(scenes), recipe, tmp_path)
    message = str(error.value)
    for part in ("at epoch 1, step ", "norm of the gradient", "learning rate", "Try: "):
        assert part in message
    batch = json.loads((tmp_path / "diverged" / "batch.json").read_text())
    images = sorted((tmp_path / "diverged").glob("*.png"))
    assert len(images) == len(batch["pictures"]) == 2
    assert {one["picture"] for one in batch["pictures"]} <= {r.image for r in scenes.records}
    for weight in load_model(tmp_path / "last.keras").get_weights():
        assert np.isfinite(weight).all()


def test_a_network_of_no_numbers_is_refused(tmp_path, scenes):
    model = DetectionTask(scenes).build(TINY)
    weights = model.get_weights()
    weights[0][...] = np.nan
    model.set_weights(weights)
    model.save(tmp_path / "lost.keras")
    with pytest.raises(InputError, match="not finite"):
        load_model(tmp_path / "lost.keras")


# === Pictures that get damaged in mid-run ===


def copy_of(scenes, folder):
    folder.mkdir()
    records = [dataclasses.replace(r, image=shutil.copy(r.image, folder)) for r in scenes.records]
    return check_images(dataclasses.replace(scenes, records=records))[0]


def many(dataset, count):
    """The same pictures again and again: a share of few is a small one."""
    records = [
        dataclasses.replace(record, image_id=f"{record.image_id} {i}")
        for i in range(count)
        for record in dataset.records
    ]
    return dataclasses.replace(dataset, records=records)


def test_a_damaged_picture_is_named_and_the_next_takes_its_place(tmp_path, scenes):
    dataset = copy_of(scenes, tmp_path / "pictures")
    broken = dataset.records[3].image
    recipe = dataclasses.replace(TINY, epochs=3)
    console = Console(record=True, width=300)
    cut = At(2, lambda: damage(tmp_path / "pictures" / "3.png", "cut"))
    rows = train(DetectionTask(dataset), recipe, tmp_path / "run", callbacks=[cut], console=console)
    assert len(rows) == 3
    said = console.export_text()
    assert said.count("cannot be read any more") == 1
    assert broken in said
    assert "(1 of 12)" in said
    [entry] = Run(tmp_path / "run").record["damaged"]
    assert entry["picture"] == broken
    assert entry["reason"]


def test_too_many_damaged_pictures_are_an_error(tmp_path, scenes):
    dataset = copy_of(scenes, tmp_path / "pictures")
    gone = At(2, lambda: shutil.rmtree(tmp_path / "pictures"))
    recipe = dataclasses.replace(TINY, batch_size=4, checkpoint_minutes=0)
    with pytest.raises(InputError, match=r"of 12 pictures cannot be read any more, such as .*png"):
        train(DetectionTask(dataset), recipe, tmp_path / "run", callbacks=[gone])
    load(tmp_path / "run" / "last.keras")


def test_a_classifier_has_stand_ins_too(tmp_path, scenes):
    dataset = copy_of(scenes, tmp_path / "pictures")
    records = [LabelledImage(r.image, int(r.labels[0])) for r in dataset.records]
    task = ClassificationTask(ClassificationDataset("scenes", ("a", "b"), records))
    recipe = ClassificationRecipe(width=0.01, size=32, epochs=4, batch_size=2)
    cut = At(1, lambda: damage(tmp_path / "pictures" / "5.png", "gone"))
    rows = train(task, recipe, tmp_path / "run", callbacks=[cut])
    assert len(rows) == 4
    assert "gradient_norm" in rows[0]
    assert len(Run(tmp_path / "run").record["damaged"]) == 1


def task_of(kind, dataset, validation):
    """A detector's or a classifier's task on these pictures, and a small recipe for it."""
    if kind == "detector":
        return DetectionTask(dataset, validation), TINY
    sets = [
        ClassificationDataset(
            "scenes", ("a", "b"), [LabelledImage(r.image, int(r.labels[0])) for r in part.records]
        )
        for part in (dataset, validation)
    ]
    recipe = ClassificationRecipe(width=0.01, size=32, epochs=2, batch_size=4)
    return ClassificationTask(*sets), recipe


@pytest.mark.parametrize("kind", ["detector", "classifier"])
@pytest.mark.parametrize("how", ["cut", "gone"])
def test_a_damaged_picture_to_score_on_is_named_and_left_out(tmp_path, scenes, kind, how):
    validation = copy_of(scenes, tmp_path / "validation")
    broken = validation.records[3].image
    task, recipe = task_of(kind, scenes, validation)
    console = Console(record=True, width=300)
    cut = At(1, lambda: damage(tmp_path / "validation" / "3.png", how))
    rows = train(task, recipe, tmp_path / "run", callbacks=[cut], console=console)
    assert len(rows) == 2
    assert all(row[task.SCORE] for row in rows)
    said = console.export_text()
    assert said.count("left out of the score") == 1
    assert f"{broken} cannot be read any more" in said
    assert "(1 of 12)" in said
    [entry] = Run(tmp_path / "run").record["damaged_validation"]
    assert entry["picture"] == broken
    assert entry["reason"]


def test_pictures_left_out_do_not_count_as_missed(scenes, tmp_path):
    from yolov2_tf.training.scored import ScoredPictures

    dataset = copy_of(scenes, tmp_path / "pictures")
    damage(tmp_path / "pictures" / "3.png", "cut")

    def find(given):
        for record in given.records:
            tf.io.decode_png(tf.io.read_file(record.image))
        return [[place, *record.boxes[0]] for place, record in enumerate(given.records)]

    pictures = ScoredPictures(dataset)
    rows = pictures.found(find, batch_size=8)
    assert rows[:, 0].tolist() == list(range(11))
    left = [record for i, record in enumerate(dataset.records) if i != 3]
    assert [r.image for r in pictures.dataset.records] == [r.image for r in left]
    np.testing.assert_array_equal(rows[:, 1:], [r.boxes[0] for r in left])


@pytest.mark.parametrize("kind", ["detector", "classifier"])
def test_too_many_damaged_pictures_to_score_on_are_an_error(tmp_path, scenes, kind):
    validation = copy_of(scenes, tmp_path / "validation")
    task, recipe = task_of(kind, scenes, validation)
    recipe = dataclasses.replace(recipe, checkpoint_minutes=0)
    gone = At(2, lambda: shutil.rmtree(tmp_path / "validation"))
    with pytest.raises(InputError, match=r"12 of 12 pictures to score on cannot be read any more"):
        train(task, recipe, tmp_path / "run", callbacks=[gone])
    load(tmp_path / "run" / "last.keras")


def test_what_is_no_damage_is_raised_as_it_is(scenes):
    from yolov2_tf.training.scored import ScoredPictures

    def fail(_):
        raise InputError("something else")

    with pytest.raises(InputError, match="something else"):
        ScoredPictures(scenes).found(fail, batch_size=8)


def test_stand_ins_move_no_other_picture(scenes):
    from yolov2_tf.data.pipeline import training_batches
    from yolov2_tf.data.stand_ins import StandIns
    from yolov2_tf.data.stream_order import pictures_of

    stand_ins = StandIns(12)
    options = {"batch_size": 4, "size": 64, "jitter": 0, "flip": False, "colours": False}
    before = list(training_batches(scenes, **options).take(6))
    stand_ins.faults.update({4: "cut", 5: "cut"})
    after = list(training_batches(scenes, **options, stand_ins=stand_ins).take(6))
    indices = pictures_of(range(24), 12)
    assert sorted(indices[:12]) == list(range(12))
    for place, index in enumerate(indices):
        batch, row = divmod(place, 4)
        one, two = (batches[batch][0][row].numpy() for batches in (before, after))
        assert np.array_equal(one, two) == (index not in (4, 5))
        if index in (4, 5):
            seen = tf.io.decode_png(tf.io.read_file(scenes.records[6].image)).numpy()
            np.testing.assert_array_equal(two, seen)


def test_the_last_pictures_of_a_kind_have_the_first_as_next():
    from yolov2_tf.data.stand_ins import StandIns

    stand_ins = StandIns(3, 2)
    stand_ins.faults.update({2: "", 0: "", 4: ""})
    assert [int(stand_ins.of(tf.constant(i))) for i in range(5)] == [1, 1, 1, 3, 3]
