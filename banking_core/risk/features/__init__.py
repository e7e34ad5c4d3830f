"""The named features a decision is made from."""

from banking_core.risk.features.feature import Feature
from banking_core.risk.features.registry import (
    FEATURES,
    INDEX,
    NAMES,
    Vector,
    compute,
    features_hash,
    vector_hash,
)

__all__ = ["FEATURES", "INDEX", "NAMES", "Feature", "Vector", "compute", "features_hash", "vector_hash"]
