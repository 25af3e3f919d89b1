"""How far a training has come, and what is still to do."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Position:
    """How far a run has come when its network is saved.

    Attributes:
        epoch: Epochs that are over.
        step: Steps of the next epoch that are over.
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
    """What is to be done, from where a run stands to its end.

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
        return self.start.epoch * self.steps + self.start.step - self.start.iterations

    @property
    def over(self):
        """Whether nothing is left to do."""
        return self.start.epoch >= self.epochs

    def batch_of(self, epoch):
        """Number of the first batch of an epoch in the stream of pictures."""
        return self.first_batch + self._steps_to(epoch, 0)

    def position(self, epoch, iterations, step=0):
        """Where the run stands in the course of this plan.

        Args:
            epoch: Epochs that are over.
            iterations: Steps that the optimizer counts.
            step: Steps of the next epoch that are over.
        """
        images = self.start.images + self._steps_to(epoch, step) * self.batch_size
        return Position(epoch, step, iterations, images)

    def from_here(self, position):
        """The rest of this plan from a later `Position` on."""
        return dataclasses.replace(self, start=position)

    def _steps_to(self, epoch, step):
        return (epoch - self.start.epoch) * self.steps + step - self.start.step
