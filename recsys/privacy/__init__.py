"""What a model tells about the people in it: attacks that are tried, and the figures they come to."""
