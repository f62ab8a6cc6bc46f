"""What a contribution is worth, and whether it can be believed: measured, with every part shown."""
