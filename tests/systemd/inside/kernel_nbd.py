# SPDX-License-Identifier: BSD-2-Clause
"""
The kernel's NBD client, as its netlink interface has it (linux/nbd-netlink.h): a device that outlives its connection. Requests
wait for at most PATIENCE seconds while there is none; when the kernel says that the connection is dead, Device gives it
another one. nbd-client 3.24 asks for no such waiting.
"""
import os
import socket
import struct
import threading
import time

import nbd

SOCKET = "/run/dmuse/nbd"
TIMEOUT, PATIENCE = 3, 300              # seconds: after the first what was not answered is sent again, where there is a connection
NETLINK_GENERIC, REQUEST, ACK, ERROR = 16, 1, 4, 2
CONTROLLER, GET_FAMILY, FAMILY_ID, FAMILY_NAME, GROUPS, GROUP_NAME, GROUP_ID = 16, 3, 1, 2, 7, 1, 2
CONNECT, DISCONNECT, RECONFIGURE, LINK_DEAD = 1, 2, 3, 4
INDEX, SIZE, BLOCK_SIZE, WAIT, SERVER_FLAGS, SOCKETS, DEAD_CONNECTION = 1, 2, 3, 4, 5, 7, 8
SOL_NETLINK, ADD_MEMBERSHIP = 270, 1
INFO_EXPORT = 0


def attribute(kind, data):
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def u32(kind, value):
    return attribute(kind, struct.pack("=I", value))


def u64(kind, value):
    return attribute(kind, struct.pack("=Q", value))


def attributes(data):
    """{kind: data}; bits of the kind that say how it is encoded are left out."""
    found = {}
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        found[kind & 0x3fff] = data[4:length]
        data = data[(length + 3) & ~3:]
    return found


class Netlink:
    """A socket of generic netlink; the kernel's answers and what it tells come one by one."""
    def __init__(self):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC)
        self.socket.bind((0, 0))
        family = self.ask(CONTROLLER, GET_FAMILY, attribute(FAMILY_NAME, b"nbd\0"), flags=REQUEST)
        self.family = struct.unpack("=H", family[FAMILY_ID])[0]
        group = attributes(attributes(family[GROUPS])[1])
        self.group = struct.unpack("=I", group[GROUP_ID])[0]

    def listen(self):
        self.socket.setsockopt(SOL_NETLINK, ADD_MEMBERSHIP, self.group)
        self.socket.settimeout(0.2)

    def read(self):
        """(type, command, attributes) of one message; type ERROR is an answer that raises, or one without a content."""
        data = self.socket.recv(65536)
        length, kind = struct.unpack_from("=IH", data)
        if kind == ERROR:
            error = struct.unpack_from("=i", data, 16)[0]
            if error:
                raise OSError(-error, os.strerror(-error))
            return kind, 0, {}
        return kind, data[16], attributes(data[20:length])

    def ask(self, family, command, data, flags=REQUEST | ACK):
        self.socket.send(struct.pack("=IHHII", 20 + len(data), family, flags, 1, 0) + struct.pack("=BBH", command, 1, 0) + data)
        return self.read()[2]


class Device:
    """/dev/nbdINDEX for the export NAME."""
    def __init__(self, index, name):
        self.index, self.name = index, name
        self.again, self.failure, self.stopping = 0, None, False
        self.netlink, self.told = Netlink(), Netlink()
        self.told.listen()
        connection, size, flags = self.connection()
        self.command(CONNECT, connection, u64(SIZE, size) + u64(BLOCK_SIZE, 512) + u64(WAIT, TIMEOUT) + u64(SERVER_FLAGS, flags) +
                     u64(DEAD_CONNECTION, PATIENCE))
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def connection(self):
        """One that is through with the handshake, and what the server says of the export."""
        told = []
        connection = nbd.connect(SOCKET, self.name, told)
        size, flags = struct.unpack(">QH", dict(told)[INFO_EXPORT])
        return connection, size, flags

    def command(self, command, connection=None, data=b""):
        if connection:
            data += attribute(SOCKETS, attribute(1, u32(1, connection.fileno())))
        self.netlink.ask(self.netlink.family, command, u32(INDEX, self.index) + data)
        if connection:
            connection.close()          # the kernel has it

    def connect_again(self):
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                connection = self.connection()[0]
                break
            except (ConnectionError, FileNotFoundError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        self.command(RECONFIGURE, connection)
        self.again += 1

    def watch(self):
        try:
            while not self.stopping:
                try:
                    _, command, told = self.told.read()
                except TimeoutError:
                    continue
                if command == LINK_DEAD and struct.unpack("=I", told[INDEX])[0] == self.index and not self.stopping:
                    self.connect_again()
        except (OSError, nbd.Wrong) as e:
            self.failure = e

    def end(self):
        self.stopping = True
        self.command(DISCONNECT)
        self.thread.join()
