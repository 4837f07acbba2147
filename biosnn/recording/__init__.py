"""Recording of long runs: spikes go to files while a network runs, and are read as trains."""

from biosnn.recording.recording import SpikeRecording, record_spikes
from biosnn.recording.trains import SpikeTrains

__all__ = ["SpikeRecording", "SpikeTrains", "record_spikes"]
