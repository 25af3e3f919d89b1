"""The pictures that a training is scored on: each process has its part of them.

One that cannot be read any more in mid-training is named, counted, left out.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from yolov2_tf.data.picture_reader import reader
from yolov2_tf.data.stand_ins import StandIns
from yolov2_tf.errors import InputError
from yolov2_tf.training.agreement import any_of, stacked
from yolov2_tf.training.cluster import addresses, name_of, worker, workers
from yolov2_tf.training.damage import SHARE


def is_due(every, epoch, params):
    """Whether an epoch, counted from 0, is to be scored.

    Args:
        every: Epochs between two scorings, the last epoch is always scored; or a function that
            tells for an epoch.
        epoch: The epoch that is over.
        params: What Keras tells a callback, for the number of `epochs`.
    """
    if callable(every):
        return every(epoch)
    return (epoch + 1) % every == 0 or epoch + 1 >= params["epochs"]


class ScoredPictures:
    """Finds on the pictures of a data set that can be read, in all processes together.

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
        self._kept = range(len(dataset))

    def found(self, find, batch_size):
        """What a function finds on all pictures; where one fails, without the damaged ones.

        Each process looks at its share, see `share_of`, and has what all have found. All call this
        at the same time.

        Args:
            find: Function of a data set to rows `(n, k)` of float32's precision, k the same
                everywhere, in the order of its pictures; the first column is the place of the
                picture in it. It raises where a picture cannot be read.
            batch_size: Pictures that `find` puts through the network at once.

        Returns:
            `(N, k)` float32 in the order of the pictures; the first column is the place in
            `dataset`. They are those of one process, bit for bit.

        Raises:
            InputError: If too many cannot be read.
            Exception: What `find` raises where every picture can.
        """
        while True:
            own = share_of(len(self.dataset), batch_size)
            rows, error = None, None
            try:
                rows = np.array(find(self._part(own)), np.float32)
            except (InputError, tf.errors.OpError) as caught:
                error = caught
            if not any_of(error is not None):
                rows[:, 0] = own[rows[:, 0].astype(int)]
                rows = stacked(rows)
                return rows[np.argsort(rows[:, 0], kind="stable")]
            self._leave_out(self._damaged(own, error), error)

    def _part(self, places):
        if len(places) == len(self.dataset):
            return self.dataset
        records = [self.dataset.records[place] for place in places.tolist()]
        return dataclasses.replace(self.dataset, records=records)

    def _damaged(self, own, error):
        """Indices of the pictures that any process found damaged now; `error` is this one's."""
        read, found = reader(self._all.records), []
        if error is not None:
            found = self._faults.look(read, [self._kept[place] for place in own])
            if not found:
                raise error
        rows = stacked(np.array([[index, worker()] for index in found]).reshape(-1, 2))
        for index, process in rows.astype(int).tolist():
            if index not in self._faults.faults and not self._faults.look(read, [index]):
                name = name_of(*list(addresses())[process])
                self._faults.faults[index] = f"{name} cannot read it"
        return rows[:, 0].astype(int).tolist()

    def _leave_out(self, found, error):
        """Tells of pictures that were found damaged now, and goes on without them."""
        records, faults = self._all.records, self._faults.faults
        self._check(error)
        entries = [{"picture": self._name(i), "reason": reason} for i, reason in faults.items()]
        for index in found:
            text = (
                f"note: {self._name(index)} cannot be read any more ({faults[index]}); it is left "
                f"out of the score ({len(faults)} of {len(records):,})"
            )
            if self._left_out is not None:
                self._left_out(text, entries)
        self._kept = [index for index in range(len(records)) if index not in faults]
        kept = [records[index] for index in self._kept]
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


def share_of(count, batch_size):
    """Places of the pictures that this process scores, among so many.

    Processes take the batches of one process in turn. The last one, if it is smaller, is the
    chief's, which had a whole one before and so fills it up as one process would: each picture is
    in the very batch that it is in there, and what is found on it is the same to the last bit.

    Returns:
        `(n,)` integers, rising.
    """
    places = np.arange(count)
    turn = places // batch_size % workers()
    turn[count - count % batch_size :] = 0
    return np.flatnonzero(turn == worker())
