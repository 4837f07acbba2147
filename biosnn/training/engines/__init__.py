"""The forward and the backward pass of a network: in NumPy, and as a compiled library."""
