"""The ``cpp`` target: a whole simulation as one program. Its sources, what it cannot do, and its runs."""
