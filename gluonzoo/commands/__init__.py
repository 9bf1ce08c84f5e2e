"""The commands of ``gluonzoo``, one module each: from arguments to what is done. See :mod:`gluonzoo.commands.main`."""
