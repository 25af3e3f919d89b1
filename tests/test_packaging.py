"""What publishes and builds the package agrees with what is in the repository."""

import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
if not (ROOT / "pyproject.toml").is_file():
    pytest.skip("needs the repository", allow_module_level=True)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def instructions():
    """The Dockerfile's instructions as `(name, rest)`, continued lines joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [tuple(line.split(maxsplit=1)) for line in lines if line.strip()]


def test_what_the_image_copies_is_there_and_tracked():
    sources = [
        source
        for name, rest in instructions()
        if name == "COPY"
        for source in shlex.split(rest)[:-1]
    ]
    assert {"requirements.txt", "pyproject.toml", "yolov2_tf", "export", "web_demo"} <= set(sources)
    left_out = (ROOT / ".dockerignore").read_text().split()
    for source in sources:
        assert (ROOT / source).exists(), source
        assert source not in left_out


def test_the_image_has_what_the_package_is_built_from():
    """Every folder that is a package, and each file that pyproject.toml names, is copied."""
    copied = " ".join(rest for name, rest in instructions() if name == "COPY").split()
    folders = PROJECT["tool"]["setuptools"]["package-dir"]
    for package in PROJECT["tool"]["setuptools"]["packages"]:
        place = next(
            (package.replace(name, folder, 1) for name, folder in folders.items()
             if package == name or package.startswith(f"{name}.")),
            package,
        )  # fmt: skip
        assert place.split(".")[0] in copied, package
    assert PROJECT["project"]["readme"] in copied


def test_the_image_and_the_workflow_have_the_python_that_make_takes():
    makefile = (ROOT / "Makefile").read_text()
    version = re.search(r"^PYTHON \?= python([\d.]+)$", makefile, re.MULTILINE)[1]
    assert dict(instructions())["FROM"] == f"python:{version}-slim"
    steps = workflow()["jobs"]["all"]["steps"]
    [setup] = [step for step in steps if "setup-python" in step.get("uses", "")]
    assert setup["with"]["python-version"] == version
    assert f"Programming Language :: Python :: {version}" in PROJECT["project"]["classifiers"]


def test_the_image_starts_the_command_of_the_package():
    assert dict(instructions())["ENTRYPOINT"] == '["yolov2"]'
    assert "yolov2" in PROJECT["project"]["scripts"]


def workflow():
    return yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())


def test_the_workflow_runs_what_a_clone_runs():
    job = workflow()["jobs"]["all"]
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert [command.split()[-1] for command in commands] == [".ci/run"]
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111
    checked = subprocess.run(["bash", "-n", ROOT / ".ci" / "run"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    # YAML 1.1 reads `on` as true.
    assert {"push", "pull_request"} <= set(workflow()[True])


def test_every_package_is_listed():
    """A folder with Python files that pyproject.toml forgets would be missing from the wheel."""
    listed = set(PROJECT["tool"]["setuptools"]["packages"])
    for top, name in (("yolov2_tf", "yolov2_tf"), ("export", "yolov2_tf.export"),
                      ("web_demo", "yolov2_tf.web_demo")):  # fmt: skip
        for init in (ROOT / top).rglob("__init__.py"):
            if "node_modules" in init.parts:
                continue
            below = init.parent.relative_to(ROOT / top).parts
            assert ".".join((name, *below)) in listed
