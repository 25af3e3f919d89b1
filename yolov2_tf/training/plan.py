"""How far a training has come, and what is still to do."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Position:
    """How far a run has come when its network is saved.

    Attributes:
        epoch: Epochs that are over.
        step: Steps of the next epoch that are over: 0, as networks are saved after epochs so far.
        iterations: Steps that the optimizer counts. It leaves out those that float16 overflowed,
            and steps may have had another length once: neither epoch nor step follow from it.
        images: Pictures that were taken from the stream.
    """

    epoch: int = 0
    step: int = 0
    iterations: int = 0
    images: int = 0


@dataclasses.dataclass(frozen=True)
class Plan:
    """What `fit` is to do, from where a run stands to its end.

    Attributes:
        steps: Steps an epoch.
        epochs: Epochs of the whole training.
        batch_size: Pictures a step.
        start: `Position` that it starts from.
    """

    steps: int
    epochs: int
    batch_size: int
    start: Position = Position()

    @property
    def total_steps(self):
        """Steps of the whole training, had it always had epochs of this length."""
        return self.steps * self.epochs

    @property
    def first_batch(self):
        """Number of the next batch in the stream of pictures."""
        return self.start.images // self.batch_size

    @property
    def shift(self):
        """What makes the optimizer's count a place between 0 and `total_steps`."""
        return self.start.epoch * self.steps - self.start.iterations

    @property
    def over(self):
        """Whether nothing is left to do."""
        return self.start.epoch >= self.epochs

    def batch_of(self, epoch):
        """Number of the first batch of an epoch in the stream of pictures."""
        return self.first_batch + (epoch - self.start.epoch) * self.steps

    def position(self, epoch, iterations):
        """Where the run stands after an epoch of this plan.

        Args:
            epoch: Epochs that are over.
            iterations: Steps that the optimizer counts.
        """
        steps = (epoch - self.start.epoch) * self.steps
        images = self.start.images + steps * self.batch_size
        return Position(epoch, 0, iterations, images)
