"""What each member's listening is worth to others: measured on held-out listeners."""
