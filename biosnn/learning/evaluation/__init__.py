"""Which class a network answers, how often it is the right one, and what simpler methods reach."""
