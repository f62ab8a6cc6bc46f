"""The story of one sale, told again with members who do not exist."""
