"""The commands of gluonzoo: a module each, whose docstring is the help."""
