"""The programs that ``projections.py`` times: the same work done by ``Synapses``, by biosnn and by hand."""
