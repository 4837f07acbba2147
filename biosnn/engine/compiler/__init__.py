"""The C++ compiler: found, driven without make, and what it has built kept in a cache."""
