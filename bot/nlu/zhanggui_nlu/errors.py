"""Everything this package raises on purpose. `str(error)` is one clear sentence for an operator.

NluError
 ├── DataError        training or dev files cannot be used as they are
 ├── ModelError       the model archive is missing, altered, or made by another version
 └── ServeRefusal     the service refuses to start with these settings
"""

from __future__ import annotations


class NluError(Exception):
    """Base of this package's errors; `code` is for machines, the message for people."""

    code = "nlu_error"


class DataError(NluError):
    """A data file does not parse or contradicts another one."""

    code = "nlu_data_invalid"


class ModelError(NluError):
    """The model archive cannot be trusted or loaded."""

    code = "nlu_model_invalid"


class ServeRefusal(NluError):
    """The service must not start with the given host, token or port."""

    code = "nlu_serve_refused"
