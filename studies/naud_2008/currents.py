"""The currents of the eight patterns."""

CURRENTS = {
    "tonic": 500,
    "adapting": 500,
    "initial_burst": 400,
    "regular_bursting": 210,
    "delayed_accelerating": 300,
    "delayed_bursting": 110,
    "transient": 180,
    "irregular": 160,
}
"""In pA: table 1 of the paper."""
