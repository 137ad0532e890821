"""Which addresses this server may be sent to, and HTTP that goes nowhere else.

A partner names the addresses that are called here. One that leads into our own network would let it
reach what only we may (server-side request forgery).
"""

import ipaddress
import socket
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

TIMEOUT_S = (5, 30)
"""Until the connection stands; until the next bytes come."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class AddressError(ValueError):
    """An address that is not called. `code`: scheme, form, unknown or private; `host` as it stands there."""

    def __init__(self, code, host=""):
        super().__init__(code)
        self.code = code
        self.host = host


def is_public(address):
    """Whether an IP address (text) belongs to the Internet, also when it is wrapped in an IPv6 one."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if ip.version == 6:
        wrapped = ip.ipv4_mapped or ip.sixtofour or (ip.teredo and ip.teredo[1])
        if ip in _NAT64:
            wrapped = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if wrapped:
            return is_public(str(wrapped))
    return ip.is_global and not ip.is_multicast


def check_url(url, *, allow_private):
    """:param allow_private: http and addresses of private networks are taken too.
    :raise AddressError: the address is malformed or leads where it must not.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise AddressError("form") from None
    if not host or parts.username is not None or parts.password is not None or not url.isprintable():
        raise AddressError("form", host or "")
    if parts.scheme != "https" and not (allow_private and parts.scheme == "http"):
        raise AddressError("scheme", host)
    try:
        found = socket.getaddrinfo(host, port or parts.scheme, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise AddressError("unknown", host) from None
    # Every one of them: which of several addresses is taken is not ours to say.
    if not allow_private and not all(is_public(sockaddr[0]) for *__, sockaddr in found):
        raise AddressError("private", host)


def make_session(*, allow_private):
    """:return: requests.Session without proxies, cookies or passwords of the server's surroundings."""
    session = requests.Session()
    session.trust_env = False
    adapter = _Adapter() if allow_private else _PublicAdapter()
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


class _Adapter(HTTPAdapter):
    """One limit of time for all that goes through it, whoever sends."""

    def send(self, *args, **kwargs):
        return super().send(*args, **{**kwargs, "timeout": TIMEOUT_S})


class _PublicConnection:
    """Looks at the address that was really reached: a name may lead elsewhere a moment after its check."""

    def _new_conn(self):
        reached = super()._new_conn()
        if not is_public(reached.getpeername()[0]):
            reached.close()
            raise NewConnectionError(self, "address of a private network")
        return reached


class _PublicHTTPConnection(_PublicConnection, HTTPConnection):
    pass


class _PublicHTTPSConnection(_PublicConnection, HTTPSConnection):
    pass


class _PublicHTTPPool(HTTPConnectionPool):
    ConnectionCls = _PublicHTTPConnection


class _PublicHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _PublicHTTPSConnection


class _PublicAdapter(_Adapter):
    def init_poolmanager(self, *args, **kwargs):
        done = super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PublicHTTPPool, "https": _PublicHTTPSPool}
        return done
