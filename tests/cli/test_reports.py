"""`evaluate --report` and what `predict --threshold best` makes of it, as users call them."""

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image
from shallow_networks import shallow_detector
from whole_page import check_page

from yolov2_tf.cli.parsing import thresholds_file
from yolov2_tf.cli.predict_checks import least_scores
from yolov2_tf.cli.score_report import _name, open_second
from yolov2_tf.data.digits.scenes import open_digits
from yolov2_tf.data.source import open_dataset
from yolov2_tf.data.writers.conversion import convert
from yolov2_tf.errors import InputError
from yolov2_tf.export.detectors import open_model
from yolov2_tf.files import fingerprint
from yolov2_tf.training.run import Run
from yolov2_tf.zoo import shipped

SHIPPED = Path(__file__).parents[2] / "android_demo" / "app" / "src" / "main" / "assets"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The network for digits that the app for phones brings."""
    if not (SHIPPED / "digits.tflite").is_file():
        pytest.skip("needs android_demo/app/src/main/assets/digits.tflite")
    return Path(shutil.copy(SHIPPED / "digits.tflite", tmp_path_factory.mktemp("model")))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder with 24 scenes of digits and a CSV of their boxes."""
    folder = tmp_path_factory.mktemp("data") / "digits"
    convert(open_digits("val", count=24), folder, "csv")
    return folder


@pytest.fixture(scope="module")
def reported(model, data, tmp_path_factory):
    """The folder of a report, and the JSON that `evaluate` wrote beside it."""
    from command_line import call

    out = tmp_path_factory.mktemp("report")
    arguments = ("--report", out / "page", "--json", out / "scores.json", "--against", model)
    assert call("evaluate", model, data, *arguments) == 0
    return out / "page", json.loads((out / "scores.json").read_text())


def test_figures_in_the_report_are_those_of_evaluate(reported, model):
    folder, scores = reported
    report = json.loads((folder / "report.json").read_text())
    assert {key: report[key] for key in scores} == scores
    assert scores["map"] > 0.5
    assert report["difference"]["difference"] == 0
    assert report["difference"]["interval"] == [0, 0]
    page = (folder / "index.html").read_text()
    check_page(page.replace('href="https://arxiv.org/abs/2008.08115"', ""))
    assert f"{100 * scores['map']:.1f} %" in page
    thresholds = json.loads((folder / "thresholds.json").read_text())
    beside = model.with_name("digits.tflite.thresholds.json")
    assert json.loads(beside.read_text()) == thresholds
    assert thresholds["input_size"] == open_model(model).input_size


def test_models_are_called_by_what_tells_them_apart(tmp_path):
    assert _name(tmp_path / "run" / "model.keras", True) == "run/model.keras"
    assert _name(tmp_path / "run" / "model.keras", None) == "model.keras"
    assert _name(shipped.path("starter"), True) == _name(shipped.path("starter"), None) == "starter"


def test_predict_takes_the_best_thresholds(run, reported, model, data):
    folder, _ = reported
    limits = json.loads((folder / "thresholds.json").read_text())
    found = {}
    for threshold in ("best", folder / "thresholds.json", 0.006):
        code, out, _ = run("predict", model, data, "--json", "-", "--threshold", threshold)
        assert code == 0
        found[str(threshold)] = json.loads(out)
    best, by_file, every = found.values()
    assert best == by_file
    assert sum(len(one["detections"]) for one in best) > 0
    for kept, all_of in zip(best, every, strict=True):
        assert kept["detections"] == [
            one for one in all_of["detections"]
            if one["score"] > limits["classes"].get(one["label"], limits["all"])
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("threshold", "message"),
    [("1.5", "--threshold 1.5"), ("nowhere.json", "cannot be opened"), ("best", "no best")],
)
def test_thresholds_that_cannot_be_had_are_named(run, model, data, tmp_path, threshold, message):
    copy = tmp_path / "copy.tflite"
    copy.write_bytes(model.read_bytes())
    code, _, err = run("predict", copy, data, "--json", "-", "--threshold", threshold)
    assert code == 2
    assert message in err.replace("\n", " ")


def test_thresholds_of_an_older_model_are_refused(run, reported, model, data, tmp_path):
    copy = tmp_path / "copy.tflite"
    copy.write_bytes(model.read_bytes() + b"more")
    value = (reported[0] / "thresholds.json").read_text()
    (tmp_path / "copy.tflite.thresholds.json").write_text(value)
    code, _, err = run("predict", copy, data, "--json", "-", "--threshold", "best")
    assert code == 2
    assert "another state" in err


@pytest.fixture(scope="module")
def keras_model(tmp_path_factory):
    """A `.keras` file of input size 64."""
    path = tmp_path_factory.mktemp("keras") / "model.keras"
    shallow_detector(("ant", "bee"), anchors=[(1, 1)], width=1 / 64).save(path)
    return path


def test_the_second_model_has_the_input_size_that_is_asked_for(model, keras_model):
    first = open_model(keras_model, size=96)
    for size, wanted in ((96, 96), (None, 64)):
        _, second = open_second(keras_model, None, first, size=size, batch_size=2)
        assert second.input_size == wanted
    fixed = open_model(model)
    assert open_second(model, None, fixed, size=fixed.input_size, batch_size=2)
    with pytest.raises(InputError, match="--size 32, but its input size is fixed"):
        open_second(model, None, fixed, size=32)


def test_pictures_that_the_model_was_trained_on_are_told(run, model, data, tmp_path):
    copy = Path(shutil.copy(model, tmp_path / "copy.tflite"))
    ids = list(open_dataset(data).records.image_ids)
    for held_out, told in ((ids[:5], True), (ids, False), (["elsewhere", *ids[:5]], False)):
        Run(tmp_path).write_held_out(held_out)
        code, _, err = run("evaluate", copy, data)
        assert code == 0
        assert ("5 of these 24 pictures were held out" in err.replace("\n", " ")) == told


def test_best_thresholds_are_those_of_an_input_size(keras_model):
    beside, known = thresholds_file(keras_model), {"model": fingerprint(keras_model)}
    for measured, asked, fits in (
        (96, 96, True), (64, None, True), (64, 64, True), (None, 96, True),
        (96, None, False), (64, 96, False),
    ):  # fmt: skip
        size = {} if measured is None else {"input_size": measured}  # older files do not say it
        beside.write_text(json.dumps({**known, **size, "all": 0.5, "classes": {}}))
        if fits:
            assert least_scores("best", keras_model, None, asked) == beside
        else:
            with pytest.raises(InputError, match=f"input size {measured}, not {asked or 64}"):
                least_scores("best", keras_model, None, asked)


def test_a_report_says_that_it_has_no_best_thresholds(run, model, tmp_path):
    copy = Path(shutil.copy(model, tmp_path / "copy.tflite"))
    Image.new("RGB", (96, 96), "gray").save(tmp_path / "gray.png")
    (tmp_path / "boxes.csv").write_text("image,xmin,ymin,xmax,ymax,label\ngray.png,1,1,9,9,7\n")
    code, _, err = run("evaluate", copy, tmp_path / "boxes.csv", "--report", tmp_path / "page")
    assert code == 0
    assert "no best thresholds: nothing was found" in err
    assert not thresholds_file(copy).exists()
    thresholds = tmp_path / "page" / "thresholds.json"
    code, _, err = run("predict", copy, tmp_path, "--json", "-", "--threshold", thresholds)
    assert code == 2
    assert "the evaluation found nothing" in err.replace("\n", " ")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--results", "{tmp}/r.json"], "a COCO data set"),
        (["--metric", "voc12"], "unknown metric 'voc12'"),
        (["--report", "{tmp}/report", "--against", "nowhere.keras"], "no such file"),
        (["--report", "{tmp}/report", "--against", "starter-tiny"], "has other classes"),
        (["--boxed", "nowhere.map"], "has no label tree"),
        (["--map", "nowhere.map"], "has no label tree"),
    ],
)
def test_what_cannot_be_written_is_said_before_any_picture(
    run, model, data, tmp_path, monkeypatch, options, message
):
    monkeypatch.setattr("yolov2_tf.prediction.stream.look_at_records", None)
    code, _, err = run("evaluate", model, data, *(one.format(tmp=tmp_path) for one in options))
    assert code == 2
    assert message in err.replace("\n", " ")
    assert not list(tmp_path.iterdir())


def test_a_plot_of_data_without_boxes_is_refused_before_any_picture(
    run, model, tmp_path, monkeypatch
):
    monkeypatch.setattr("yolov2_tf.prediction.stream.look_at_records", None)
    Image.new("RGB", (96, 64)).save(tmp_path / "0.png")
    (tmp_path / "boxes.csv").write_text("image,xmin,ymin,xmax,ymax,label\n0.png,,,,,\n")
    plot = tmp_path / "curve.png"
    code, _, err = run("evaluate", model, tmp_path / "boxes.csv", "--plot", plot)
    assert code == 2
    assert "no box, so no curve for --plot" in err
    assert not plot.exists()


def test_against_needs_a_report(run, model, data):
    code, _, err = run("evaluate", model, data, "--against", model)
    assert code == 2
    assert "--against without --report" in err


def test_thresholds_of_a_shipped_network_stay_out_of_the_package(tmp_path, monkeypatch):
    monkeypatch.setenv("YOLOV2_CACHE", str(tmp_path))
    assert thresholds_file(shipped.path("starter")) == tmp_path / "starter.keras.thresholds.json"
    own = tmp_path / "runs" / "model.keras"
    assert thresholds_file(own) == own.with_name("model.keras.thresholds.json")
    monkeypatch.setenv("YOLOV2_CACHE", "")
    assert thresholds_file(shipped.path("starter")) is None
