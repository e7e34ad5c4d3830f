"""The list of all features, in the order in which the model reads them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from banking_core.checked import UNREAD, checked_function
from banking_core.risk.context import RiskContext
from banking_core.risk.features import (
    amount,
    conversation,
    credentials,
    customer,
    habit,
    orders,
    payee,
    surroundings,
    times,
    velocity,
)
from banking_core.risk.features.feature import Feature, bounded
from banking_core.risk.features.moment import Moment

FEATURES: tuple[Feature, ...] = (
    *orders.FEATURES,
    *amount.FEATURES,
    *habit.FEATURES,
    *payee.FEATURES,
    *velocity.FEATURES,
    *times.FEATURES,
    *surroundings.FEATURES,
    *conversation.FEATURES,
    *customer.FEATURES,
    *credentials.FEATURES,
)
NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
INDEX: dict[str, int] = {name: index for index, name in enumerate(NAMES)}
assert len(INDEX) == len(FEATURES), "a feature name is used twice"
_COMPUTE = tuple(feature.compute for feature in FEATURES)

Vector = NDArray[np.float64]


@checked_function
def compute(context: Annotated[RiskContext, UNREAD]) -> Vector:
    """The features of one moment, shape (len(FEATURES),), all finite. A history is not read twice to be checked."""
    moment = Moment(context)
    return np.array([bounded(work(moment)) for work in _COMPUTE], np.float64)


@checked_function
def features_hash(features: Sequence[Feature] = FEATURES) -> str:
    """A fingerprint of names, units and order, 16 hexadecimal characters: weights belong to exactly one list."""
    rows = "\n".join(f"{feature.name}\t{feature.unit}" for feature in features)
    return hashlib.sha256(rows.encode()).hexdigest()[:16]


@checked_function
def vector_hash(vector: Vector) -> str:
    """A fingerprint of one decision's features, so that a record can be matched with a recomputation."""
    return hashlib.blake2b(np.ascontiguousarray(vector).tobytes(), digest_size=8).hexdigest()
