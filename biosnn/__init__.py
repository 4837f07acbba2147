"""biosnn: a laboratory bench for biologically plausible spiking neural networks on Brian2."""
