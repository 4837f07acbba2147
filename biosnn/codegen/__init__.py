"""What is ours in Brian2's code generation: more templates of code objects, exact steps without a pole, faster keys."""
