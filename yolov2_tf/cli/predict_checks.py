"""What `yolov2 predict` refuses before any work: options that do not go together, or do nothing."""

import json
from pathlib import Path

from yolov2_tf.errors import InputError


def check_together(out, json, jsonl, resume, by_ray, batch_size, *, show, save, crop):
    """Raises an `InputError` if options do not go together; `predict` says what they are.

    `by_ray` is whether there are to be workers of Ray.
    """
    if out is None and json is None and jsonl is None and not show:
        raise InputError(
            "nowhere to put the detections",
            expected="--out FOLDER, --json FILE, --jsonl FILE or --show",
        )
    if out is None and (save or crop):
        raise InputError("--save and --crop without --out", expected="--out FOLDER")
    if resume and (jsonl in (None, "-") or json is not None):
        raise InputError("--resume goes on with a file of lines", expected="--jsonl FILE alone")
    if resume and save:
        raise InputError("--resume with --save", expected="--save in a run of its own")
    if by_ray and (out is not None or show):
        raise InputError(
            "--workers only writes rows",
            expected="--json or --jsonl, without --out and --show",
            hint="drawings in a run without --workers",
        )
    if show and batch_size is not None:
        raise InputError("--batch-size with --show, which shows one at a time", expected="one")


def where_to_write(json, jsonl):
    """The files of `--json` and `--jsonl`: what ends in `.jsonl` gets lines.

    Returns:
        `(json, jsonl)`.

    Raises:
        InputError: If both would be files of lines.
    """
    if json is None or not json.lower().endswith(".jsonl"):
        return json, jsonl
    if jsonl is not None:
        raise InputError(
            f"--json {json} and --jsonl {jsonl}: two files of lines", expected="one of them"
        )
    return None, json


def check_sources(sources, save, resume, by_ray):
    """Refuses films and cameras where only pictures will do, and names that cannot be written.

    Args:
        sources: Iterable of `Source`; not looked at where all will do.
        save: Form of the annotations, or None.
        resume: Whether an earlier run is gone on with.
        by_ray: As for `check_together`.

    Raises:
        InputError: If there is one.
    """
    from yolov2_tf.data.names import is_utf8, not_utf8

    alone = {"--save": save, "--resume": resume, "--workers": by_ray}
    alone = [option for option, given in alone.items() if given]
    for source in sources if alone else ():
        if source.kind != "picture":
            raise InputError(f"{alone[0]} with a video or camera", expected="pictures alone")
        if save and not is_utf8(source.name):
            raise not_utf8(source.name)


def least_scores(threshold, model, server, size=None):
    """What `--threshold` says: the least score, or the file with that of each class.

    Args:
        threshold: The text of the option.
        model: Path of the model, or its name on a server.
        server: Address of the server, or None.
        size: Side of the input in pixels that is asked for, or None for the model's own.

    Returns:
        A float or a `Path`.

    Raises:
        InputError: If there is no such threshold.
    """
    from yolov2_tf.cli.parsing import thresholds_file
    from yolov2_tf.files import fingerprint

    if threshold != "best":
        try:
            number = float(threshold)
        except ValueError:
            return Path(threshold)
        if not 0 <= number <= 1:
            raise InputError(f"--threshold {threshold}", expected="0 to 1, or best")
        return number
    if server is not None:
        raise InputError(
            "--threshold best with --server", expected="--threshold FILE, a thresholds.json"
        )
    path = thresholds_file(model)
    hint = f"yolov2 evaluate {model} DATA --report FOLDER"
    if path is None or not path.is_file():
        raise InputError("no best thresholds of this model", where=path or model, hint=hint)
    try:
        known = dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError):
        known = {}
    if known.get("model") != fingerprint(model):
        raise InputError("thresholds of another state of this model", where=path, hint=hint)
    _check_size(known.get("input_size"), model, size, path)
    return path


def _check_size(measured, model, size, path):
    """Refuses best thresholds of another input size; older files do not tell theirs."""
    if measured is None or Path(model).suffix != ".keras":  # the size of all others is fixed
        return
    from yolov2_tf.models.loading import read_head

    wanted = size or read_head(model).input_size
    if measured != wanted:
        raise InputError(
            f"best thresholds of input size {measured}, not {wanted}",
            where=path,
            expected=f"--size {measured}",
            hint=f"yolov2 evaluate {model} DATA --size {wanted} --report FOLDER",
        )


def check_settings(model, server, settings):
    """Refuses what this form of a detector does not take, before it is opened.

    Args:
        model: As for `least_scores`.
        server: As for `least_scores`.
        settings: Dict of options, None for those not given.

    Raises:
        InputError: If there is one.
    """
    from yolov2_tf.export.formats import SERVER, check_running_options, format_to_run

    check_running_options(format_to_run(model) if server is None else SERVER, settings, model)
