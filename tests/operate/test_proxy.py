"""The proxies of docs/operate/examples, really run in front of `gatepost serve`, and judged by `gatepost doctor`."""

import contextlib
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gatepost.demo.stand import free_port

from .installation import environment, run

EXAMPLES = Path(__file__).parents[2] / "docs/operate/examples"


@dataclass
class Site:
    """A running Gatepost without its proxy, and what the proxy will need."""

    folder: Path
    public_port: int
    port: int
    hooks_port: int

    @property
    def url(self) -> str:
        return f"https://localhost:{self.public_port}"

    @property
    def certificate(self) -> Path:
        return self.folder / "certificate.pem"

    @property
    def key(self) -> Path:
        return self.folder / "key.pem"

    @property
    def settings(self) -> dict[str, str]:
        return {
            "GATEPOST_PUBLIC_URL": self.url, "GATEPOST_HOOKS_URL": f"{self.url}/hooks/graph",
            "GATEPOST_PORT": str(self.port), "GATEPOST_HOOKS_PORT": str(self.hooks_port),
            "REQUESTS_CA_BUNDLE": str(self.certificate),
        }  # fmt: skip

    def get(self, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        context = ssl.create_default_context(cafile=str(self.certificate))
        request = urllib.request.Request(self.url + path, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=30, context=context) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    port = free_port(18_000)
    hooks_port = free_port(port + 1)
    site = Site(tmp_path_factory.mktemp("site"), free_port(hooks_port + 1), port, hooks_port)
    make_certificate(site)
    data = site.folder / "data"
    with (site.folder / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gatepost", "serve"], env=environment(data, **site.settings), stdout=log, stderr=log
        )  # fmt: skip
    try:
        wait_for(f"http://127.0.0.1:{port}/health/ready", site.folder / "serve.log")
        wait_for(f"http://127.0.0.1:{hooks_port}/health", site.folder / "serve.log")
        yield site
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except (
            subprocess.TimeoutExpired
        ):  # whoever runs the tests in the background ignores it, and so do we then
            process.kill()
            process.wait(20)


@pytest.fixture(scope="module", params=["nginx", "caddy"])
def behind(request: pytest.FixtureRequest, site: Site) -> Iterator[Site]:
    """The site behind this proxy."""
    program = shutil.which(request.param) or shutil.which(f"/usr/sbin/{request.param}")
    if program is None:
        pytest.skip(f"{request.param} is not installed here")
    command = {"nginx": nginx, "caddy": caddy}[request.param](program, site)
    log = site.folder / f"{request.param}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env={"HOME": str(site.folder), "PATH": "/usr/bin:/bin"}
        )
    try:
        wait_for(f"{site.url}/health/live", log, certificate=site.certificate)
        yield site
    finally:
        process.terminate()
        process.wait(30)


def nginx(program: str, site: Site) -> list[str]:
    """The example, with this test's ports, certificate and folders."""
    text = (EXAMPLES / "nginx.conf").read_text()
    text = text.replace("listen 443", f"listen {site.public_port}").replace(
        "listen 80;", f"listen {free_port(19_000)};"
    )
    text = re.sub(r"\n *listen \[::\]:.*", "", text)  # there may be no IPv6 here
    text = re.sub(r"ssl_certificate +[^;]+;", f"ssl_certificate {site.certificate};", text)
    text = re.sub(r"ssl_certificate_key +[^;]+;", f"ssl_certificate_key {site.key};", text)
    text = text.replace("127.0.0.1:8000", f"127.0.0.1:{site.port}").replace(
        "127.0.0.1:8001", f"127.0.0.1:{site.hooks_port}"
    )
    text = text.replace("gatepost.example.com", "localhost").replace(
        "/var/log/nginx/gatepost.log", f"{site.folder}/access.log"
    )
    folders = "".join(
        f"    {what}_temp_path {site.folder}/{what};\n"
        for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    # Started by root, nginx works as nobody, who may not write below this test's folder.
    user = "user root;\n" if os.geteuid() == 0 else ""
    whole = f"{user}daemon off;\npid {site.folder}/nginx.pid;\nevents {{}}\nhttp {{\n{folders}{text}\n}}\n"
    (site.folder / "nginx.conf").write_text(whole)
    return [program, "-p", str(site.folder), "-e", "stderr", "-c", str(site.folder / "nginx.conf")]


def caddy(program: str, site: Site) -> list[str]:
    text = (EXAMPLES / "Caddyfile").read_text()
    text = text.replace("gatepost.example.com {", f"{site.url} {{\n\ttls {site.certificate} {site.key}")
    text = text.replace("127.0.0.1:8000", f"127.0.0.1:{site.port}").replace(
        "127.0.0.1:8001", f"127.0.0.1:{site.hooks_port}"
    )
    (site.folder / "Caddyfile").write_text("{\n\tadmin off\n\tauto_https disable_redirects\n}\n" + text)
    return [program, "run", "--adapter", "caddyfile", "--config", str(site.folder / "Caddyfile")]


def make_certificate(site: Site) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30)).add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).sign(key, hashes.SHA256())
    )  # fmt: skip
    site.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    site.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


def wait_for(address: str, log: Path, *, certificate: Path | None = None) -> None:
    context = ssl.create_default_context(cafile=str(certificate)) if certificate else None
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(address, timeout=5, context=context).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise AssertionError(f"{address} does not answer:\n{log.read_text()[-2000:]}")


def test_the_doctor_finds_nothing_wrong_with_the_proxy(behind: Site) -> None:
    said = run(behind.folder / "data", "doctor", "--json", check=False, **behind.settings).stdout
    told = {each["name"]: (each["state"], each["message"]) for each in json.loads(said)}
    assert told["proxy"] == ("ok", f"{behind.url} leads to this installation.")
    assert told["notification address"][0] == "ok", told["notification address"]
    assert told["public address"][0] == "ok"


def test_nobody_outside_says_for_the_proxy_how_the_request_came(behind: Site) -> None:
    _, said = behind.get("/health/live", **{"X-Forwarded-Proto": "http"})
    assert json.loads(said)["https"] is True


def test_the_sign_in_page_arrives_with_its_styles(behind: Site) -> None:
    status, page = behind.get("/sign-in/")
    styles = re.search(rb'href="(/static/gatepost[^"]*\.css)"', page)
    assert (status, styles is not None) == (200, True)
    assert behind.get(styles[1].decode())[0] == 200


def test_a_form_as_large_as_an_import_gets_through_and_a_larger_one_stops_at_the_proxy(behind: Site) -> None:
    assert post_form(behind, 19_000_000) == 200  # the sign-in page again, since nobody is named in the form
    with contextlib.suppress(urllib.error.URLError):  # a proxy may hang up on who goes on talking
        # nginx says what it is; Caddy says that nothing came of it
        assert post_form(behind, 24_000_000) in (413, 502)


def post_form(site: Site, size: int) -> int:
    """The sign-in form with a file of this size, as a browser sends it."""
    opener = urllib.request.build_opener(
        urllib.request.HTTPCookieProcessor(),
        urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(site.certificate))),
    )
    page = opener.open(f"{site.url}/sign-in/", timeout=60).read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token is not None
    parts = (
        f'--edge\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n{token[1]}\r\n'
        '--edge\r\nContent-Disposition: form-data; name="file"; filename="contacts.csv"\r\n\r\n'
    )
    body = parts.encode() + b"x" * size + b"\r\n--edge--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=edge", "Referer": f"{site.url}/sign-in/"}
    try:
        with opener.open(urllib.request.Request(f"{site.url}/sign-in/", body, headers), timeout=60) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_a_code_of_microsofts_reaches_no_access_log(behind: Site) -> None:
    behind.get("/mailboxes/connected/?code=a-code-of-microsofts&state=none")
    logs = "".join(file.read_text(errors="replace") for file in behind.folder.glob("*.log"))
    assert "a-code-of-microsofts" not in logs
