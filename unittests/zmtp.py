"""Speaks to a port of MXNet's parameter server, as a stranger would: ZMTP 3.0, the protocol under ps-lite."""
import os
import socket
import struct

_GREETING = b'\xff' + bytes(8) + b'\x7f\x03\x00' + b'NULL'.ljust(20, b'\0') + bytes(32)


def send(port, *frames):
    """Sends one message of some frames (bytes) from a peer without a name. Returns the open socket."""
    line = socket.create_connection(('127.0.0.1', port), timeout=10)
    line.sendall(_GREETING)
    _receive(line, 64)
    ready = b'\x05READY' + _property(b'Socket-Type', b'DEALER') + _property(b'Identity', b'')
    line.sendall(bytes([4, len(ready)]) + ready)
    _receive(line, _receive(line, 2)[1])
    for left, frame in zip(range(len(frames) - 1, -1, -1), frames):
        line.sendall(struct.pack('>BQ', 2 + (left > 0), len(frame)) + frame)
    return line


def _property(name, value):
    return bytes([len(name)]) + name + struct.pack('>I', len(value)) + value


def _receive(line, count):
    content = b''
    while len(content) < count:
        content += line.recv(count - len(content))
    return content


def listening(pid):
    """The port at which a process of the job listens."""
    inodes = {link.split('[')[1][:-1] for link in _links(pid) if link.startswith('socket:[')}
    with open(f'/proc/{pid}/net/tcp') as table:
        rows = [line.split() for line in list(table)[1:]]
    return next(int(row[1].split(':')[1], 16) for row in rows if row[3] == '0A' and row[9] in inodes)


def _links(pid):
    for name in os.listdir(f'/proc/{pid}/fd'):
        try:
            yield os.readlink(f'/proc/{pid}/fd/{name}')
        except FileNotFoundError:
            pass


def sibling(word):
    """A process with the same parent as this one, and a word in its environment."""
    with open(f'/proc/{os.getppid()}/task/{os.getppid()}/children') as file:
        for pid in file.read().split():
            with open(f'/proc/{pid}/environ', 'rb') as environment:
                if word in environment.read().split(b'\0'):
                    return pid
    raise LookupError(word)
