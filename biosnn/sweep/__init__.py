"""Sweeps and ensembles: a study at many settings and seeds, on one machine or a cluster, resumable (docs/sweeps.md)."""

from biosnn.sweep.executors import Dask, Local
from biosnn.sweep.queues import Cluster, JobArray, read_queue
from biosnn.sweep.store import Store
from biosnn.sweep.sweep import Sweep

__all__ = ["Cluster", "Dask", "JobArray", "Local", "Store", "Sweep", "read_queue"]
