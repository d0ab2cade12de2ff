"""One question to a Kafka broker over a bare socket: do you serve, and do you count yourself among the brokers?"""

import socket
import struct

from deploy.local.ports import HOST

# Kafka protocol: int32 size, then header v1 (int16 api key, int16 api version, int32 correlation id, nullable client id)
# and Metadata v1's body, an array of topics: empty asks for none of them.
METADATA_KEY, METADATA_VERSION, CORRELATION_ID, NO_CLIENT_ID = 3, 1, 1, -1
_BODY = struct.pack(">hhihi", METADATA_KEY, METADATA_VERSION, CORRELATION_ID, NO_CLIENT_ID, 0)
_REQUEST = struct.pack(">i", len(_BODY)) + _BODY
_ANSWER = struct.Struct(">iii")  # size, correlation id, number of brokers


def broker_serves(port: int, timeout_ms: int = 1_000) -> bool:
    """Say whether the broker on 127.0.0.1 answers Metadata with at least one broker that may lead partitions."""
    try:
        with socket.create_connection((HOST, port), timeout_ms / 1000) as connection:
            connection.sendall(_REQUEST)
            answer = connection.recv(_ANSWER.size, socket.MSG_WAITALL)
    except OSError:  # refused, reset or too slow all mean: not yet
        return False
    if len(answer) < _ANSWER.size:
        return False
    _size, correlation_id, brokers = _ANSWER.unpack(answer)
    return bool(correlation_id == CORRELATION_ID and brokers > 0)
