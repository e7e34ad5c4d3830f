"""Why the product cannot start: one clear sentence each, and a non-zero exit.

StartError
├── PortBusy
├── DiskFull
├── NluEnvironmentMissing
├── TrainingFailed
└── ServiceDied
"""

from __future__ import annotations

from typing import ClassVar


class StartError(Exception):
    """Root; `str(error)` is what the operator reads."""

    code: ClassVar[str] = "start_failed"


class PortBusy(StartError):
    """Somebody else listens on the port."""

    code = "port_busy"


class DiskFull(StartError):
    """Too little room for the databases, the model and the logs."""

    code = "disk_full"


class NluEnvironmentMissing(StartError):
    """The NLU service's own Python environment is not installed."""

    code = "nlu_environment_missing"


class TrainingFailed(StartError):
    """The NLU model could not be trained."""

    code = "training_failed"


class ServiceDied(StartError):
    """The NLU service ended or did not become ready in time."""

    code = "service_died"
