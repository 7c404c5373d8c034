# Listens on a free port of loopback, holds so many bytes, says "ready" and waits for a signal. Its name
# becomes "port-<number>". To us: a descriptor that a helper must not keep.
import ctypes
import signal
import socket
import sys

listener = socket.create_server(("127.0.0.1", 0))
memory = bytearray(b"\1") * int(sys.argv[1])
ctypes.CDLL(None).prctl(15, b"port-%d" % listener.getsockname()[1])
print("ready", flush=True)
signal.pause()
