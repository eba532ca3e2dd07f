"""Chance that depends on what it is for and on nothing else.

A number drawn for one property stays the same when other properties come or go, on every machine.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

SEED = "grandlist demonstration 1"


def draw(keys: Sequence[str], purpose: str, *, seed: str = SEED) -> npt.NDArray[np.float64]:
    """Return one number in [0, 1) for each key.

    Parameters
    ----------
    keys
        What the numbers are for, such as parcel identifiers.
    purpose
        Numbers for different purposes are independent.
    """
    digests = (hashlib.sha256(f"{seed}|{purpose}|{key}".encode()).digest() for key in keys)
    whole = np.array([int.from_bytes(digest[:8], "big") >> 11 for digest in digests], dtype=np.uint64)
    return whole.astype(np.float64) / float(1 << 53)
