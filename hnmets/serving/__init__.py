"""Registered models on the network: what is asked, what is answered, and what is refused."""
