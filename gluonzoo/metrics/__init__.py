"""Measures, computed by the libraries that published results come from."""
