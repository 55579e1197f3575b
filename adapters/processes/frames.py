"""How messages are told apart in a pipe: each comes behind its length."""

import struct

LENGTH = struct.Struct("!Q")
