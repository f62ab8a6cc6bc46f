"""What a buyer opens: one sealed file with a sample of a model, its cards, terms and evidence."""
