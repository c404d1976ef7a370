"""A program to run inside a service pod: who is connected to its port, by the kernel's own table."""

PEERS = """
import pathlib, socket, struct
for row in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
    local, peer = row.split()[1:3]
    if int(local.split(":")[1], 16) == 8000:
        print(socket.inet_ntoa(struct.pack("<I", int(peer.split(":")[0], 16))))
"""
