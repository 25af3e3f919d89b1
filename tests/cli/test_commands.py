"""The commands as users call them: files in, files and exit codes out."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from yolov2_tf import cli


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A CSV data set: four pictures, each with a bright square on the left or on the right."""
    folder = tmp_path_factory.mktemp("data")
    rows = ["image,xmin,ymin,xmax,ymax,label"]
    for i in range(4):
        picture = np.full((64, 96, 3), 40, np.uint8)
        left = 8 if i % 2 else 56
        picture[16:48, left : left + 30 + i] = 220
        Image.fromarray(picture).save(folder / f"{i}.png")
        rows.append(f"{i}.png,{left},16,{left + 30 + i},48,{'left' if i % 2 else 'right'}")
    (folder / "boxes.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture(scope="module")
def model(data, tmp_path_factory):
    """A model file as `yolov2 train` leaves it."""
    out = tmp_path_factory.mktemp("run")
    arguments = ["yolov2", "train", data / "boxes.csv", "--out", out, "--model", "tiny"]
    arguments += ["--width", 0.125, "--size", 64, "--epochs", 1, "--batch-size", 4, "--anchors", 2]
    arguments += ["--recipe", "paper"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", list(map(str, arguments)))
        with pytest.raises(SystemExit) as stop:
            cli.main()
    assert not stop.value.code
    return out / "model.keras"


def test_help_and_version_load_no_tensorflow():
    program = (
        "import sys; from yolov2_tf import cli; sys.argv = ['yolov2', '--help']\n"
        "try: cli.main()\nexcept SystemExit as stop: assert not stop.code\n"
        "assert 'tensorflow' not in sys.modules and 'numpy' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for command in ("anchors", "train", "evaluate", "predict", "demo", "wordtree"):
        assert command in done.stdout


def test_commands_run_on_tensorflow_whatever_keras_is_set_to(tmp_path):
    (tmp_path / "keras.json").write_text('{"backend": "torch"}')
    program = (
        "import sys; from yolov2_tf import cli\n"
        "sys.argv = ['yolov2', 'describe', 'starter-tiny']; cli.main()"
    )
    for more in ({"KERAS_HOME": str(tmp_path)}, {"KERAS_BACKEND": "jax"}):
        kept = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, env=kept | more
        )
        assert done.returncode == 0, done.stderr
        assert "billion operations" in done.stdout


def test_anchors_writes_json_of_the_agreed_form(run, data):
    code, out, _ = run("anchors", data / "boxes.csv", "--k", 2, "--json", "-")
    assert code == 0
    result = json.loads(out)
    assert set(result) == {"k", "anchors", "average_iou"}
    assert np.shape(result["anchors"]) == (2, 2)
    assert 0.9 < result["average_iou"] <= 1


@pytest.fixture
def sets(data, tmp_path):
    """The same as two image sets: three pictures to train on, one to test."""
    heading, *rows = (data / "boxes.csv").read_text().splitlines()
    (tmp_path / "train_labels.csv").write_text("\n".join([heading, *rows[:3]]))
    (tmp_path / "test_labels.csv").write_text("\n".join([heading, rows[3]]))
    for picture in data.glob("*.png"):
        (tmp_path / picture.name).write_bytes(picture.read_bytes())
    return tmp_path


def test_anchors_are_of_what_trains(run, sets):
    code, out, err = run("anchors", sets, "--k", 1)
    assert code == 0
    assert "3 boxes" in out
    assert "test_labels, train_labels: train_labels is what trains; test_labels is not" in err
    assert "1 boxes" in run("anchors", sets, "--k", 1, "--split", "test")[1]


def test_evaluate_scores_what_does_not_train(run, sets, model):
    code, _, err = run("evaluate", model, sets, "--json", "-")
    assert code == 0
    assert "test_labels scores; train_labels is not used" in err


def test_pictures_need_not_be_checked(run, data, tmp_path, monkeypatch):
    monkeypatch.setattr("yolov2_tf.training.fit.train", lambda *_, **__: [])
    for path in data.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    whole = (tmp_path / "0.png").read_bytes()
    (tmp_path / "0.png").write_bytes(whole[: len(whole) // 2])
    command = ("train", tmp_path / "boxes.csv", "--hold-out", 0, "--out", tmp_path / "run")
    assert "boxes: 3 images" in run(*command)[1]
    assert "boxes: 4 images" in run(*command, "--no-check")[1]


def test_damaged_pictures_are_left_out_of_a_score(run, data, model, tmp_path):
    for path in data.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    whole = (tmp_path / "1.png").read_bytes()
    (tmp_path / "1.png").write_bytes(whole[: len(whole) // 2])  # its header can be read
    command = ("evaluate", model, tmp_path / "boxes.csv", "--json", "-")
    code, out, err = run(*command)
    assert code == 0
    assert json.loads(out)["images"] == 3
    assert "left out: 1 (1.png" in err
    code, _, err = run(*command, "--no-check")
    assert code == 2
    assert "1.png" in err
    for number in range(4):
        (tmp_path / f"{number}.png").write_bytes(whole[: len(whole) // 2])
    code, _, err = run(*command)
    assert code == 2
    assert "not one of 4 pictures can be read" in err


def test_a_sweep_is_a_list_and_a_plot(run, data, tmp_path):
    plot = tmp_path / "sweep.png"
    code, out, _ = run(
        "anchors", data / "boxes.csv", "--sweep", "1-3", "--plot", plot, "--json", "-"
    )
    assert code == 0
    averages = [row["average_iou"] for row in json.loads(out)]
    assert averages == sorted(averages)
    assert len(averages) == 3
    assert plot.is_file()


def test_evaluate_writes_json_of_the_agreed_form(run, data, model, tmp_path):
    plot = tmp_path / "curves.png"
    code, out, _ = run("evaluate", model, data / "boxes.csv", "--json", "-", "--plot", plot)
    assert code == 0
    result = json.loads(out)
    assert set(result) == {"metric", "map", "ap", "images", "seconds"}
    assert set(result["ap"]) == {"left", "right"}
    assert result["images"] == 4
    assert plot.is_file()


def test_a_model_is_scored_and_timed_at_several_sizes(run, data, model, tmp_path):
    plot, one = tmp_path / "speed.png", ["--size", 96, "--json", "-"]
    sizes = ["--sizes", "64,96", "--plot", plot, "--json", "-"]
    code, out, _ = run("evaluate", model, data / "boxes.csv", *sizes)
    assert code == 0
    rows = json.loads(out)
    assert [row["size"] for row in rows] == [64, 96]
    assert all(row["median_ms"] > 0 for row in rows)
    code, out, _ = run("evaluate", model, data / "boxes.csv", *one)
    assert json.loads(out)["map"] == pytest.approx(rows[1]["map"])
    assert plot.is_file()


def test_sizes_without_boxes_have_no_figure(run, model, tmp_path):
    Image.new("RGB", (64, 64)).save(tmp_path / "0.png")
    coco = {"images": [{"id": 1, "file_name": "0.png", "width": 64, "height": 64}]}
    classes = [{"id": 1, "name": "left"}, {"id": 2, "name": "right"}]
    coco |= {"annotations": [], "categories": classes}
    (tmp_path / "coco.json").write_text(json.dumps(coco))
    code, out, _ = run("evaluate", model, tmp_path / "coco.json", "--sizes", "64", "--json", "-")
    assert code == 0
    assert json.loads(out, parse_constant=pytest.fail)[0]["map"] is None
    code, out, _ = run("evaluate", model, tmp_path / "coco.json", "--sizes", "64")
    assert "–" in out
    assert "nan" not in out
    code, _, err = run("benchmark", model, "--data", tmp_path / "coco.json")
    assert code == 2
    assert "no boxes to score" in err


def test_results_are_written_in_vocs_form(run, data, model, tmp_path):
    code, _, _ = run("evaluate", model, data / "boxes.csv", "--results", tmp_path / "comp4")
    assert code == 0
    files = sorted(path.name for path in (tmp_path / "comp4").iterdir())
    assert files == ["comp4_det_test_left.txt", "comp4_det_test_right.txt"]
    lines = (tmp_path / "comp4" / files[0]).read_text().splitlines()
    assert all(len(line.split()) == 6 for line in lines)


def test_describe_counts_what_the_file_holds(run, model):
    code, out, _ = run("describe", model, "--size", 96, "--json", "-")
    assert code == 0
    found = json.loads(out)
    assert found["size"] == 96
    assert found["layers"][-1]["shape"] == [3, 3, 14]
    assert found["weights"] == sum(layer["weights"] for layer in found["layers"])


def test_predict_draws_and_writes_json(run, data, model, tmp_path):
    found = tmp_path / "found.json"
    code, _, _ = run(
        *("predict", model, data, "--out", tmp_path / "drawn"),
        *("--json", found, "--threshold", 0.001),
    )
    assert code == 0
    results = json.loads(found.read_text())
    assert [row["image"] for row in results] == [str(data / f"{i}.png") for i in range(4)]
    for detection in results[0]["detections"]:
        assert set(detection) == {"box", "label", "score"}
        assert detection["label"] in ("left", "right")
        assert all(0 <= side <= 1 for side in detection["box"])
    assert len(list((tmp_path / "drawn").glob("*.png"))) == 4


def test_predict_skips_what_it_cannot_read_and_says_so(run, data, model, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff no picture")
    code, out, err = run("predict", model, broken, data / "0.png", "--json", "-")
    assert code == 0
    assert [row["image"] for row in json.loads(out)] == [str(data / "0.png")]
    assert "broken.jpg" in err.replace("\n", "")


def test_predict_reads_and_writes_videos(run, model, tmp_path):
    cv2 = pytest.importorskip("cv2", reason="needs OpenCV for videos")
    video = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter_fourcc(*"MJPG"), 5.0, (96, 64))
    for value in (30, 120, 210):
        writer.write(np.full((64, 96, 3), value, np.uint8))
    writer.release()
    code, out, _ = run("predict", model, video, "--out", tmp_path / "drawn", "--json", "-")
    assert code == 0
    assert [row["image"] for row in json.loads(out)] == [f"{video}#{i}" for i in range(3)]
    drawn = cv2.VideoCapture(str(tmp_path / "drawn" / "clip.mp4"))
    assert drawn.get(cv2.CAP_PROP_FRAME_COUNT) == 3


def test_an_exported_file_is_evaluated_like_its_model(run, data, model, tmp_path):
    exported = tmp_path / "model.tflite"
    assert run("export", model, "--out", exported)[0] == 0
    maps = []
    for form in (model, exported):
        code, out, _ = run("evaluate", form, data / "boxes.csv", "--json", "-")
        assert code == 0
        maps.append(json.loads(out)["map"])
    assert maps[0] == pytest.approx(maps[1], abs=1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["anchors", "nowhere"], "no such data set"),
        (["anchors", "{data}/boxes.csv", "--k", "50"], "distinct box shapes"),
        (["anchors", "{data}/boxes.csv", "--sweep", "9-2"], "--sweep"),
        (["train", "{data}/boxes.csv", "--out", "{tmp}/run", "--size", "100"], "size 100"),
        (["train", "{data}/boxes.csv", "--out", "{tmp}/run", "--model", "v3"], "model is 'v3'"),
        (["train", "{data}/boxes.csv", "--out", "{tmp}/run", "--resume"], "nothing to resume"),
        (["evaluate", "{tmp}/none.keras", "{data}/boxes.csv"], "no such file"),
        (["evaluate", "{model}", "{data}/boxes.csv", "--sizes", "64,70"], "multiple of 32"),
        (["evaluate", "{model}", "{data}/boxes.csv", "--sizes", "64", "--size", "64"], "--sizes"),
        (["evaluate", "{model}", "{data}/boxes.csv", "--tree-scores", "all"], "no label tree"),
        (["evaluate", "{model}", "{data}/boxes.csv", "--results", "{tmp}/r.json"], "COCO"),
        (["anchors", "{data}/boxes.csv", "--compare", "--sweep", "1-2"], "--compare"),
        (["describe", "{data}/boxes.csv"], "is not a Keras model"),
        (["evaluate", "{data}/boxes.csv", "{data}/boxes.csv"], "not an exported detector"),
        (["predict", "{model}", "{tmp}/none.jpg", "--json", "-"], "no such file"),
        (["predict", "{model}", "{data}/0.png"], "nowhere to put"),
        (
            ["predict", "{model}", "{data}/0.png", "--json", "-", "--tree-threshold", "0.9"],
            "has no label tree",
        ),
        (["predict", "{model}", "{data}/boxes.csv", "--json", "-"], "none of the pictures"),
    ],
)
def test_unusable_input_is_one_message_and_exit_code_2(
    run, data, model, tmp_path, arguments, message
):
    places = {"data": data, "tmp": tmp_path, "model": model}
    code, _, err = run(*(part.format(**places) for part in arguments))
    assert code == 2
    assert message in err
    assert "Traceback" not in err
    assert not list(tmp_path.iterdir())
