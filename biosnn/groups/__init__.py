"""What turns models into Brian2's groups: neurons, synapses, their traces, their precision, and the order of a step."""
