"""Jobs: run once each on their timetable, with any number of processes, through downtime and crashes."""

from banking_core.scheduling.batches import drain
from banking_core.scheduling.claims import latest_runs
from banking_core.scheduling.errors import JobIncomplete, JobUnknown
from banking_core.scheduling.jobs import Job, Slot, daily, every, monthly
from banking_core.scheduling.models import JobRun
from banking_core.scheduling.runner import Ended, JobRunner
from banking_core.scheduling.scheduler import Scheduler

__all__ = [
    "Ended",
    "Job",
    "JobIncomplete",
    "JobRun",
    "JobRunner",
    "JobUnknown",
    "Scheduler",
    "Slot",
    "daily",
    "drain",
    "every",
    "latest_runs",
    "monthly",
]
