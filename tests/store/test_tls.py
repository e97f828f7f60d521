"""Addresses with `https://` and `rediss://`: checked against the authority that SSL_CERT_FILE names, or refused."""

from __future__ import annotations

import json
import shutil
import signal
import ssl
import subprocess
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest
from support.servers import Lane, Restartable, ScriptedStore, consume, port_for_good

from sentinel import bus, store
from sentinel.consumer.configurations import CONFIGURATIONS
from sentinel.errors import BusError, StoreError
from sentinel.lab.stack import native, servers
from sentinel.settings import BusSettings
from sentinel.store import Server
from sentinel.store.influxdb_client import SynchronousApi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sentinel.lab.process.supervisor import Supervisor
    from sentinel.lab.stack import Stack

NOW = time.time_ns()
MESSAGE = json.dumps(
    {"timestamp": NOW // 10**9, "cpu_usage": 1.5, "mem_usage": 2, "send_time_unix_nano": NOW, "host": "h"}
).encode()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that signs itself, for 127.0.0.1; its key is beside it."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not on PATH")
    folder = tmp_path_factory.mktemp("tls")
    made = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -addext subjectAltName=IP:127.0.0.1"
    subprocess.run(["openssl", *made.split(), "-keyout", "key.pem", "-out", "cert.pem"], cwd=folder, check=True)
    return folder / "cert.pem"


@pytest.fixture
def https(certificate: Path) -> Iterator[ScriptedStore]:
    """A store behind TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    scripted = ScriptedStore(context)
    yield scripted
    scripted.close()


@pytest.fixture
def rediss(certificate: Path, supervisor: Supervisor, tmp_path: Path, native_stack: Stack) -> Iterator[BusSettings]:
    """A Redis behind TLS."""
    del native_stack  # skips where there is no Redis
    program = native.find("redis-server") or native.find("valkey-server")
    assert program is not None
    port = port_for_good()
    files = {"--tls-cert-file": certificate, "--tls-key-file": certificate.with_name("key.pem")}
    words = [str(word) for pair in files.items() for word in pair]
    more = ("--tls-port", str(port), *words, "--tls-ca-cert-file", str(certificate), "--tls-auth-clients", "no")

    def ask(port: int) -> str:
        return bus.server_version(servers.bus_on(port))

    server = Restartable(supervisor, native.redis_program(program), tmp_path, ask, more=more).start()
    yield BusSettings(url=f"rediss://127.0.0.1:{port}/0")
    server.end(signal.SIGTERM)


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_ssl_cert_file_names_whom_to_trust(
    https: ScriptedStore, rediss: BusSettings, certificate: Path, configuration: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With it messages flow from Redis to the store over TLS, in every configuration."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    lane = Lane.on(rediss, https.settings)
    lane.publish([MESSAGE])
    assert consume(lane, configuration).ledger.written == 1
    assert len(https.lines()) == 1


def test_a_certificate_of_nobody_is_refused_with_what_to_set(https: ScriptedStore, rediss: BusSettings) -> None:
    """Without it nothing is sent, and the error names the variable, whoever asked."""
    api = SynchronousApi(https.settings, Server("InfluxDB", "2.7.12", "2"))
    for ask in (partial(store.identify, https.settings), partial(api.write, ["m f=1"])):
        with pytest.raises(StoreError, match=r"did not answer: .*CERTIFICATE_VERIFY_FAILED.*\(SSL_CERT_FILE can name"):
            ask()
    api.close()
    assert [] == https.writes
    with pytest.raises(BusError, match="CERTIFICATE_VERIFY_FAILED"):
        bus.server_version(rediss)
