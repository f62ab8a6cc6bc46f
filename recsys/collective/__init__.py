"""What members decide together: who belongs, what is proposed, how they voted, what is licensed."""
