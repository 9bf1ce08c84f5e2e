"""The zoo's networks, written a second time in PyTorch. Tests compare with them; benchmarks time them."""
