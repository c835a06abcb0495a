"""What a risk stands on: where a network looks, and which columns and modalities move it."""
