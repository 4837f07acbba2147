"""What converted networks lose, where and why; what helps; and what they cost."""
