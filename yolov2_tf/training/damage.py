"""A picture that cannot be read any more in mid-training: named, counted, replaced by the next."""

from yolov2_tf.data.picture_reader import reader
from yolov2_tf.data.stand_ins import StandIns
from yolov2_tf.errors import InputError

SHARE = 0.05
"""Of the pictures of a training, how many may turn out damaged before it is an error."""

FEW = 4
"""Of a batch of fewer pictures all may be damaged; else the data are gone."""


class Damage:
    """Finds the pictures that a batch failed on.

    Args:
        task: `Task`.
        recipe: Its `Recipe`.
        say: Function of a text for people.

    Attributes:
        stand_ins: `StandIns` for `Task.batches`.
    """

    def __init__(self, task, recipe, say):
        self.task, self.recipe, self.say = task, recipe, say
        self.total = sum(len(records) for records in task.kinds)
        self.stand_ins = StandIns(*(len(records) for records in task.kinds))

    def find(self, plan, error):
        """Looks at the pictures of the batch that a plan starts with.

        Args:
            plan: `Plan`.
            error: What the batch failed with.

        Returns:
            The record entries of all that were found so far: `[{"picture", "reason"}]`.

        Raises:
            InputError: If too many cannot be read.
        """
        indices = self._indices_at(plan)
        records = {index: self._record(index) for index in indices}
        order = sorted(records)
        read = reader([records[index] for index in order])
        places = {index: place for place, index in enumerate(order)}
        found = self.stand_ins.look(lambda index: read(places[int(index)]), indices)
        for index in found:
            self.say(
                f"note: {self._name(index)} cannot be read any more "
                f"({self.stand_ins.faults[index]}); the next one takes its place "
                f"({len(self.stand_ins.faults)} of {self.total:,})"
            )
        self._check(found, indices, error)
        return [
            {"picture": self._name(index), "reason": reason}
            for index, reason in self.stand_ins.faults.items()
        ]

    def names_at(self, plan):
        """What the pictures of the batch are called that a plan starts with."""
        return [self._name(index) for index in self._indices_at(plan)]

    def _indices_at(self, plan):
        first = plan.first_batch * plan.batch_size
        found = self.task.pictures_of(self.recipe, range(first, first + plan.batch_size))
        return [int(self.stand_ins.of(index)) for index in found]

    def _check(self, found, indices, error):
        faults = self.stand_ins.faults
        if not found:
            raise InputError(
                f"a batch of pictures cannot be made: {error}",
                where=self.task.dataset.name,
                hint="look at the pictures of the data set, then --resume",
            ) from error
        gone = len(set(indices)) >= FEW and set(found) >= set(indices)
        if gone or len(faults) > max(1, SHARE * self.total):
            name, reason = self._name(found[0]), faults[found[0]]
            raise InputError(
                f"{len(faults)} of {self.total:,} pictures cannot be read any more, "
                f"such as {name}: {reason}",
                where=self.task.dataset.name,
                expected="none of a batch" if gone else f"at most {SHARE:.0%} damaged",
                hint="bring the pictures back, then --resume: the last checkpoint is whole",
            ) from error

    def _record(self, index):
        for records in self.task.kinds:
            if index < len(records):
                return records[index]
            index -= len(records)
        raise IndexError(index)

    def _name(self, index):
        record = self._record(index)
        return record.image if isinstance(record.image, str) else record.image_id
