"""Which label file belongs to a picture."""

import pytest
from PIL import Image

from yolov2_tf.data.source import open_dataset


def build(folder, *files):
    """Writes empty pictures, and label files whose box is of the class that stands behind `=`."""
    for file in files:
        name, _, label = file.partition("=")
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".jpg"):
            Image.new("RGB", (40, 30)).save(path)
        else:
            path.write_text(f"{label or 0} 0.5 0.5 0.2 0.2\n")
    (folder / "classes.txt").write_text("cat\ndog\n")
    return folder


def labels(folder):
    """Image id to the classes of its boxes."""
    return {r.image_id: r.labels.tolist() for r in open_dataset(folder).records}


@pytest.mark.parametrize(
    ("picture", "label"),
    [
        ("train_images/a.jpg", "train_labels/a.txt"),
        ("images_train/a.jpg", "labels_train/a.txt"),
        ("Train-Image/a.jpg", "Train-label/a.txt"),
        ("IMAGES/a.jpg", "LABELS/a.txt"),
        ("IMAGES/train/a.jpg", "LABELS/train/a.txt"),
        ("images/train/a.jpg", "labels/a.txt"),
        ("pets_images/day 1/a.jpg", "pets_labels/day 1/a.txt"),
    ],
)
def test_folders_of_labels(tmp_path, picture, label):
    assert labels(build(tmp_path, picture, f"{label}=1")) == {picture: [1]}


def test_labels_of_a_folder_above_are_no_other_folder_s(tmp_path):
    files = ["images/a.jpg", "labels/a.txt", "images/empty/a.jpg"]
    assert labels(build(tmp_path, *files)) == {"images/a.jpg": [0], "images/empty/a.jpg": []}


def test_labels_of_the_image_set_come_first(tmp_path):
    files = ["images/train/a.jpg", "labels/train/a.txt=1", "labels/a.txt=0"]
    assert labels(build(tmp_path, *files)) == {"images/train/a.jpg": [1]}


def test_label_files_with_the_mark_of_label_studio(tmp_path):
    files = ["images/a.jpg", "labels/3f2a1b4c-a.txt=1", "images/b.jpg", "labels/b.txt"]
    twice = ["images/c.jpg", "labels/3f2a1b4c-c.txt", "labels/4f2a1b4c-c.txt"]
    date = ["images/d.jpg", "labels/20240115-d.txt"]
    own = ["images/e.jpg", "images/3f2a1b4c-e.jpg", "labels/3f2a1b4c-e.txt"]
    assert labels(build(tmp_path, *files, *twice, *date, *own)) == {
        **{"images/a.jpg": [1], "images/b.jpg": [0], "images/c.jpg": [], "images/d.jpg": []},
        **{"images/e.jpg": [], "images/3f2a1b4c-e.jpg": [0]},
    }
