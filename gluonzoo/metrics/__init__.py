"""Measures of what a network does, by the libraries that everyone compares with."""
