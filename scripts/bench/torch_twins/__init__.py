"""Networks written a second time, in PyTorch: what the tests compare ours with, and the benchmarks time beside them."""
