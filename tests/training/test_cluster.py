import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from yolov2_tf.errors import InputError
from yolov2_tf.training.cluster import name_of, worker, workers


@pytest.fixture
def config(monkeypatch):
    def give(**values):
        monkeypatch.setenv("TF_CONFIG", json.dumps(values))

    return give


TWO = {"worker": ["a:1", "b:2"]}


@pytest.mark.parametrize("values", [{}, {"cluster": {}}, {"cluster": {"worker": ["a:1"]}}])
def test_one_process_needs_no_task(config, values):
    config(**values)
    assert (workers(), worker()) == (1, 0)


def test_without_the_variable_there_is_one(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert (workers(), worker()) == (1, 0)


def test_processes_are_counted_from_the_chief_on(config):
    cluster = {"worker": ["b:2", "c:3"], "chief": ["a:1"]}
    for number, task in enumerate([("chief", 0), ("worker", 0), ("worker", "1")]):
        config(cluster=cluster, task=dict(zip(("type", "index"), task, strict=True)))
        assert (workers(), worker()) == (3, number)
    assert name_of("worker", 1) == "worker 1 (c:3)"
    assert name_of("worker", 7) == "worker 7 (address unknown)"


@pytest.mark.parametrize(
    "task",
    [None, {}, {"type": "worker"}, {"type": "worker", "index": 2}, {"type": "ps", "index": 0}],
)
def test_a_task_that_is_none_of_the_cluster_is_refused(config, task):
    config(cluster=TWO, task=task)
    with pytest.raises(InputError, match=r"expected one of worker 0, worker 1"):
        worker()


def test_jobs_that_do_not_train_are_refused(config):
    config(cluster={**TWO, "ps": ["c:3"]}, task={"type": "worker", "index": 0})
    with pytest.raises(InputError, match="the cluster has a job 'ps'"):
        workers()


@pytest.mark.parametrize(
    "text", ["nonsense", "[]", "2", '{"cluster": []}', '{"cluster": {"worker": 2}}']
)
def test_what_cannot_be_read_is_refused(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(InputError, match=r"\$TF_CONFIG: cannot be read"):
        workers()


def test_the_manifest_names_each_pod(monkeypatch):
    """Kubernetes calls the pods of an indexed job JOB-INDEX, in the domain of their service."""
    page = Path(__file__).resolve().parents[2] / "docs" / "scaling.md"
    [text] = re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)
    service, _, job = yaml.safe_load_all(text)
    pod, count = job["spec"]["template"]["spec"], job["spec"]["completions"]
    assert service["spec"]["clusterIP"] == "None"
    assert service["metadata"]["name"] == pod["subdomain"]
    assert service["spec"]["selector"]["job-name"] == job["metadata"]["name"]
    [port] = pod["containers"][0]["ports"]
    script = pod["containers"][0]["args"][0].splitlines()[0]
    for index in range(count):
        said = subprocess.run(
            ["sh", "-c", f'{script}; echo "$TF_CONFIG"'],
            env={"JOB_COMPLETION_INDEX": str(index)},
            capture_output=True,
            text=True,
            check=True,
        )
        monkeypatch.setenv("TF_CONFIG", said.stdout)
        assert (workers(), worker()) == (count, index)
        name = f"{job['metadata']['name']}-{index}.{pod['subdomain']}"
        assert name_of("worker", index) == f"worker {index} ({name}:{port['containerPort']})"
