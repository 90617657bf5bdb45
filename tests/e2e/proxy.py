"""A real nginx in front of a service: a reverse proxy, and a shared cache."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import httpx2
import pytest

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
ROOM = "http://shop.example"

AS_TOLD = """
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Host $http_host;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Forwarded-Prefix "";
    proxy_set_header Forwarded "";
"""
CACHE = """
    proxy_cache shared;
    add_header X-Cache $upstream_cache_status always;
"""
BOLD_CACHE = f"""{CACHE}
    proxy_ignore_headers Cache-Control Expires;
    proxy_cache_valid any 10m;
"""

_CONFIGURATION = """
{user}
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    proxy_cache_path {folder}/cache keys_zone=shared:1m use_temp_path=off;
    server {{
        listen unix:{folder}/socket;
        location / {{
            proxy_pass http://{upstream};
            {directives}
        }}
    }}
}}
"""


def needed() -> str:
    """Return the program. Skips the test where there is none, but under CI, where it fails."""
    if NGINX is None:
        message = "there is no nginx, so nothing is tested behind a real proxy: apt-get install nginx-light"
        assert os.environ.get("CI") != "true", message
        pytest.skip(message)
    return NGINX


@contextmanager
def in_front_of(url: str, *directives: str) -> Iterator[httpx2.Client]:
    """Run nginx in front of a service, and yield a client of it that sends nothing that a test does not name."""
    program = needed()
    with TemporaryDirectory(prefix="nginx") as name:
        folder = Path(name)
        configuration = folder / "nginx.conf"
        user = "user root;" if os.geteuid() == 0 else ""
        written = _CONFIGURATION.format(
            user=user, folder=folder, upstream=urlsplit(url).netloc, directives="".join(directives)
        )
        configuration.write_text(written)
        command = [program, "-c", str(configuration), "-p", name, "-e", str(folder / "error.log")]
        subprocess.run(command, check=True, timeout=30)  # it goes into the background once it listens
        try:
            transport = httpx2.HTTPTransport(uds=str(folder / "socket"))
            with httpx2.Client(transport=transport, base_url=ROOM, timeout=30) as client:
                for header in ("accept", "accept-encoding", "user-agent"):
                    del client.headers[header]
                yield client
        finally:
            subprocess.run([*command, "-s", "stop"], check=True, timeout=30)
