"""Telling apart what looks much alike, such as species of birds."""
