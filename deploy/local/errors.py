"""What can go wrong with the embedded stack, each as one sentence a person can act on."""


class LocalStackError(Exception):
    """Something of the embedded stack cannot be used; the message says what, and the way out."""


class RegistryUnreachableError(LocalStackError):
    """The jars of Apache Kafka are not in the cache and the registry did not give them."""


class StateInUseError(LocalStackError):
    """Another supervisor holds the state directory."""


class PortTakenError(LocalStackError):
    """The port that was asked for belongs to another process."""


class ServerFailedError(LocalStackError):
    """A server exited, or was not ready in time; the message ends with its last words."""
