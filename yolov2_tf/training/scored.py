"""A picture to score on that cannot be read any more in mid-training: named, counted, left out."""

import dataclasses

import tensorflow as tf

from yolov2_tf.data.pipeline import reader
from yolov2_tf.data.stand_ins import StandIns
from yolov2_tf.errors import InputError
from yolov2_tf.training.damage import SHARE


class ScoredPictures:
    """Scores on the pictures of a data set that can be read.

    Those that were found damaged stay left out for the rest of a run, so that its scores compare.

    Args:
        dataset: `Dataset` or `ClassificationDataset` whose images were checked.
        left_out: Called with a text for people and `[{"picture", "reason"}]` of all that were found
            so far; None for nobody to tell.

    Attributes:
        dataset: Those pictures of it that are scored.
    """

    def __init__(self, dataset, left_out=None):
        self.dataset = dataset
        self._all, self._left_out = dataset, left_out
        self._faults = StandIns(len(dataset))

    def by(self, score):
        """What a function of a data set finds; where a picture fails, without the damaged ones.

        Args:
            score: Function of a data set; it raises where a picture cannot be read.

        Returns:
            What it returns.

        Raises:
            InputError: If too many cannot be read.
            Exception: What `score` raises where every picture can.
        """
        while True:
            try:
                return score(self.dataset)
            except (InputError, tf.errors.OpError) as error:
                records = self._all.records
                found = self._faults.look(reader(records), range(len(records)))
                if not found:
                    raise
                self._check(error)
                self._leave_out(found)

    def _leave_out(self, found):
        """Tells of pictures that were found damaged now, and goes on without them."""
        records, faults = self._all.records, self._faults.faults
        entries = [{"picture": self._name(i), "reason": reason} for i, reason in faults.items()]
        for index in found:
            text = (
                f"note: {self._name(index)} cannot be read any more ({faults[index]}); it is left "
                f"out of the score ({len(faults)} of {len(records):,})"
            )
            if self._left_out is not None:
                self._left_out(text, entries)
        kept = [record for index, record in enumerate(records) if index not in faults]
        self.dataset = dataclasses.replace(self._all, records=kept)

    def _check(self, error):
        faults, total = self._faults.faults, len(self._all)
        if len(faults) <= max(1, SHARE * total) and len(faults) < total:
            return
        index, reason = next(iter(faults.items()))
        raise InputError(
            f"{len(faults)} of {total:,} pictures to score on cannot be read any more, such as "
            f"{self._name(index)}: {reason}",
            where=self._all.name,
            expected=f"at most {SHARE:.0%} damaged",
            hint="bring the pictures back, then --resume: the last checkpoint is whole",
        ) from error

    def _name(self, index):
        record = self._all.records[index]
        return record.image if isinstance(record.image, str) else record.image_id
