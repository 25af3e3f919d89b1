"""Writes a network with the mean of the weights of runs that began as one network.

    python recipes/starter/average.py OUT.keras RUN.keras RUN.keras ...

They lie in one valley of the loss, and its middle scores better on other pictures than its slopes
(Wortsman et al., "Model soups", arXiv:2203.05482).
"""

import sys

import numpy as np

from yolov2_tf import load_model


def main(out, *runs):
    """Writes `out` from the `.keras` files `runs`."""
    networks = [load_model(run) for run in runs]
    weights = zip(*(network.get_weights() for network in networks), strict=True)
    networks[0].set_weights([np.mean(same, axis=0) for same in weights])
    networks[0].save(out)


if __name__ == "__main__":
    main(*sys.argv[1:])
