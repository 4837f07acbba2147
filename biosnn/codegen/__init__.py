"""What is ours in Brian2's code generation: code objects with more templates, and exact steps that have no pole."""
