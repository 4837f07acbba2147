"""Published random networks, each written for biosnn, for stock Brian2 and for NEST."""
