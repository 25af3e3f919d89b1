"""The folder that is served, and the server."""

import gzip
import http.client
import json
import re
import subprocess

import pytest

from yolov2_tf.errors import InputError
from yolov2_tf.web_demo import site as site_module
from yolov2_tf.web_demo.server import open_server
from yolov2_tf.web_demo.site import HERE, PAGE, build_site, litert_folder


@pytest.fixture
def without_packages(tmp_path, monkeypatch):
    """As if this were a fresh installation; returns the cache that it would use."""
    for name in ("package.json", "package-lock.json"):
        (tmp_path / "installed").mkdir(exist_ok=True)
        (tmp_path / "installed" / name).write_bytes((HERE / name).read_bytes())
    monkeypatch.setattr(site_module, "HERE", tmp_path / "installed")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "yolov2_tf"


def test_a_site_holds_the_page_the_runtime_and_the_models(site, models):
    content = json.loads((site / "content.json").read_text())
    assert [model["name"] for model in content["models"]] == list(models)
    for model, path in zip(content["models"], models.values(), strict=True):
        assert (site / model["url"]).read_bytes() == path.read_bytes()
        assert all((site / url).is_file() for url in model["examples"])
        assert bool(model["examples"]) == bool(model["credit"])
    kinds = ("", "_threaded", "_jspi", "_compat")
    for wasm in (
        site / "litert" / "wasm" / f"litert_wasm{kind}_internal.wasm.gz" for kind in kinds
    ):
        assert gzip.decompress(wasm.read_bytes()).startswith(b"\0asm")
    imported = re.findall(r'from "(.+?)"', (site / "litert" / "core.js").read_text())
    assert imported == ["./wasm-utils.js"]


def test_the_service_worker_keeps_every_file_of_the_page():
    kept = set(re.findall(r'^  "(.+)",$', (PAGE / "service-worker.js").read_text(), re.MULTILINE))
    files = {path.name for path in PAGE.iterdir()} - {"index.html", "service-worker.js"}
    assert kept == {"./"} | files


def test_no_file_of_the_page_asks_other_servers():
    for path in PAGE.iterdir():
        urls = re.findall(r"https?://[^\s\"')]+", path.read_text())
        assert set(urls) <= {"http://www.w3.org/2000/svg", "http://localhost:8000/"}, path.name


def test_models_of_one_name_are_told_apart(models, packages, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "model.tflite").write_bytes(models["float"].read_bytes())
    build_site([tmp_path / "a" / "model.tflite", tmp_path / "b" / "model.tflite"], tmp_path / "out")
    content = json.loads((tmp_path / "out" / "content.json").read_text())
    names = [model["name"] for model in content["models"]]
    assert names == [str(tmp_path / "a" / "model"), str(tmp_path / "b" / "model")]


def test_an_unusable_model_is_refused_before_anything_is_written(tmp_path):
    (tmp_path / "words.tflite").write_text("These are words.")
    with pytest.raises(InputError, match=r"words\.tflite"):
        build_site([tmp_path / "words.tflite"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_without_npm_there_is_a_message(without_packages, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match=r"npm.*Node\.js"):
        litert_folder()
    assert not list(without_packages.glob("*"))


def test_a_failing_npm_leaves_nothing_behind(without_packages, monkeypatch):
    def fail(command, **settings):
        return subprocess.CompletedProcess(command, 1, "", "npm error code ENOTFOUND\nnpm error x")

    monkeypatch.setattr(subprocess, "run", fail)
    monkeypatch.setattr(site_module.shutil, "which", lambda name: f"/bin/{name}")
    with pytest.raises(InputError, match="ENOTFOUND"):
        litert_folder()
    assert not list(without_packages.glob("*"))


def test_npm_fetches_what_the_lock_file_says(registry, without_packages):
    folder = litert_folder()
    assert without_packages in folder.parents
    for name in ("core", "wasm-utils"):
        written = json.loads((folder / name / "package.json").read_text())
        locked = json.loads((HERE / "package-lock.json").read_text())["packages"]
        assert written["version"] == locked[f"node_modules/@litertjs/{name}"]["version"]
    assert not (folder.parent / "playwright-core").exists()  # that is for tests


def test_the_server_sends_what_threads_need(site, serve):
    with serve(site) as url:
        connection = http.client.HTTPConnection(url.split("/")[2])
        for path, kind in (
            ("/", "text/html"),
            ("/app.js", "text/javascript"),
            ("/litert/wasm/litert_wasm_internal.wasm.gz", "application/gzip"),
        ):
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200
            assert answer.getheader("Content-Type") == kind
            assert answer.getheader("Cross-Origin-Opener-Policy") == "same-origin"
            assert answer.getheader("Cross-Origin-Embedder-Policy") == "require-corp"
        for path in ("/models/", "/../conftest.py", "/missing"):
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 404


def test_a_taken_port_is_an_error(tmp_path):
    with (
        open_server(tmp_path, 0) as server,
        pytest.raises(InputError, match=f"port {server.server_port}"),
    ):
        open_server(tmp_path, server.server_port)
