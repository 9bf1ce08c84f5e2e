"""Datasets from where their authors put them."""
