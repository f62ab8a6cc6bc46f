"""Pages that open on the own machine alone: the sample model's room."""
