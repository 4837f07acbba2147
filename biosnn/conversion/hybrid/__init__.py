"""Networks of which some layers spike, while the others stay what they are."""
