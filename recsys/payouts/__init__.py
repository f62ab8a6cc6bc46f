"""Money: how a price is divided among members, in whole cents, and how it is paid once."""
