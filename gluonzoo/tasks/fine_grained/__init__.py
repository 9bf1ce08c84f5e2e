"""Classes that differ in a small part. Importing this package registers its tasks."""
from . import wsdan  # noqa: F401
