"""A process of MXNet's parameter server that runs nothing of what comes over the network.

MXNet's own server unpickles the body of the command ``kController``, and MXNet asks nobody for a password. So whoever
reaches the port of such a server runs code there. gluonzoo's trainings need no such command: the optimizers run in the
workers, and the server adds up gradients. The commands of such a job (``kSyncMode``, ``kStopServer``) are handled in
MXNet's C++ and do not come to Python. So here no command is taken.

This holds for the processes that import gluonzoo before MXNet, as ``python -m gluonzoo.runtime`` does.
"""
import ctypes
import importlib.abc
import importlib.util
import os
import sys

__all__ = ['KVStoreServer', 'replace_server']

_SERVER = 'mxnet.kvstore.kvstore_server'


def replace_server():
    """Makes ``import mxnet`` serve by :class:`KVStoreServer`. To be called before MXNet is imported."""
    sys.meta_path.insert(0, _Finder())


class KVStoreServer:
    """The server of a store, in the place of MXNet's class of this name."""

    def __init__(self, kvstore):
        self.kvstore = kvstore

    def run(self):
        """Serves until the job is over."""
        from mxnet.base import _LIB, check_call

        # The body is taken as an address. As a text it would be read up to the first zero.
        controller = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(_refuse)
        check_call(_LIB.MXKVStoreRunServer(self.kvstore.handle, controller, None))


def _refuse(command, body, _):
    """Ends the process. If it went on, a training whose optimizer is refused here would take sums of gradients for
    weights."""
    print(f'parameter server: ends, since it takes no command {command}. If a worker of yours has sent the command: no '
          'optimizer runs on this server, so give gluon.Trainer update_on_kvstore=False. Otherwise a stranger reaches '
          'the port of this server: see notes/training.md', file=sys.stderr, flush=True)
    os._exit(1)


class _Finder:
    """Finds :class:`_Loader` for MXNet's module of the server, which serves while it is imported."""

    def find_spec(self, name, path=None, target=None):
        return importlib.util.spec_from_loader(name, _Loader()) if name == _SERVER else None


class _Loader(importlib.abc.Loader):
    def exec_module(self, module):
        from mxnet.base import _LIB, check_call
        from mxnet.kvstore.base import create

        module.__all__ = ['KVStoreServer']
        module.KVStoreServer = KVStoreServer
        is_worker = ctypes.c_int()
        check_call(_LIB.MXKVStoreIsWorkerNode(ctypes.byref(is_worker)))
        if not is_worker.value:   # a server or the scheduler
            KVStoreServer(create('dist')).run()
            sys.exit()
