import asyncio
import contextlib
import hashlib
import logging
import posixpath
import socket

import asyncssh

from odoo.exceptions import UserError

from .emsp_ocpi_network import is_public

# It tells each step of each connection otherwise.
logging.getLogger("asyncssh").setLevel(logging.WARNING)
CONNECT_S = 10
# For the whole of one upload: a server that sends a byte now and then keeps no job for ever.
LONGEST_S = 120
PROBE = ".emsp_clearing_test.part"


class UploadError(UserError):
    """An upload that did not get through; the text is for people."""


class SftpClient:
    """Puts files on one server, whose host key is known, and nowhere else.

    Each file goes to a temporary name and is renamed when it is whole. One that is there already, byte for
    byte, is done; another file of the same name is never overwritten.
    """

    def __init__(self, target):
        self.env = target.env
        self.target = target

    def put(self, files):
        """:param files: PackageFile, in the order in which they are put.
        :return: what happened, for people.
        :raise UploadError:
        """
        placed = self._run(self._put(files))
        return self.env._(
            "%(placed)s files placed, %(there)s were there already",
            placed=placed,
            there=len(files) - placed,
        )

    def probe(self):
        """Log in, write a file and remove it. :raise UploadError:"""
        self._run(self._probe())

    def fetch_host_key(self):
        """:return: the key that the server shows, as in a known_hosts file without the name.
        :raise UploadError:
        """
        key = self._run(self._fetch_host_key())
        return key.export_public_key().decode().strip()

    def _run(self, work):
        texts = self._texts()
        try:
            return asyncio.run(asyncio.wait_for(work, LONGEST_S))
        except asyncssh.HostKeyNotVerifiable:
            raise UploadError(texts["host_key"]) from None
        except asyncssh.PermissionDenied:
            raise UploadError(texts["refused"]) from None
        except TimeoutError:
            raise UploadError(texts["timeout"]) from None
        except asyncssh.SFTPError as error:
            raise UploadError(self._text_of(error)) from None
        except (asyncssh.Error, OSError, EOFError) as error:
            detail = " ".join(str(error).split()) or type(error).__name__
            raise UploadError(
                self.env._(
                    "%(host)s cannot be reached, or hung up: %(reason)s", host=self.target.host, reason=detail
                )
            ) from None

    def _texts(self):
        host = self.target.host
        return {
            "host_key": self.env._(
                "%(host)s shows another host key than the one that is known. Ask its operator before you "
                "take the new one.",
                host=host,
            ),
            "refused": self.env._("%(host)s does not accept the user with this password or key.", host=host),
            "timeout": self.env._("%(host)s did not answer in time.", host=host),
        }

    def _text_of(self, error):
        return self.env._(
            "%(host)s did not take the files: %(reason)s",
            host=self.target.host,
            reason=" ".join(str(error.reason or type(error).__name__).split()),
        )

    async def _put(self, files):
        placed = 0
        async with self._login() as sftp:
            for file in files:
                placed += await self._put_file(sftp, file)
        return placed

    async def _put_file(self, sftp, file):
        """:return: whether it was not there yet."""
        path = posixpath.join(self.target.folder or ".", file.name)
        if await sftp.exists(path):
            if await self._is_same(sftp, path, file.content):
                return False
            raise UploadError(
                self.env._(
                    "Another file with the name %(name)s is on %(host)s. Have it removed, then send again.",
                    name=file.name,
                    host=self.target.host,
                )
            )
        part = posixpath.join(posixpath.dirname(path), f".{file.name}.part")
        async with sftp.open(part, "wb") as remote:
            await remote.write(file.content)
        await sftp.rename(part, path)
        return True

    async def _is_same(self, sftp, path, content):
        if (await sftp.stat(path)).size != len(content):
            return False
        async with sftp.open(path, "rb") as remote:
            found = await remote.read()
        return hashlib.sha256(found).digest() == hashlib.sha256(content).digest()

    async def _probe(self):
        async with self._login() as sftp:
            path = posixpath.join(self.target.folder or ".", PROBE)
            async with sftp.open(path, "wb") as remote:
                await remote.write(b"test")
            await sftp.remove(path)

    async def _fetch_host_key(self):
        sock = await asyncio.to_thread(self._connect)
        return await asyncssh.get_server_host_key(self.target.host, self.target.port, sock=sock, config=None)

    @contextlib.asynccontextmanager
    async def _login(self):
        target = self.target
        if not target.host_key:
            raise UploadError(self.env._("The host key of %(host)s is not known yet.", host=target.host))
        key = target._clear("private_key")
        sock = await asyncio.to_thread(self._connect)
        connection = asyncssh.connect(
            target.host,
            target.port,
            sock=sock,
            # Nothing of the surroundings of this server: no configuration, agent or key of its own user.
            config=None,
            agent_path=None,
            username=target.username,
            password=target._clear("secret") if not key else None,
            client_keys=[asyncssh.import_private_key(key)] if key else None,
            known_hosts=([asyncssh.import_public_key(target.host_key)], [], []),
            login_timeout=CONNECT_S,
        )
        async with connection as ssh, ssh.start_sftp_client() as sftp:
            yield sftp

    def _connect(self):
        """:return: a socket to the server, and to no address of a private network but where it is allowed."""
        host, port = self.target.host, self.target.port
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            self._check_addresses(sockaddr[0] for *__, sockaddr in found)
            sock = socket.create_connection((host, port), timeout=CONNECT_S)
        except UnicodeError as error:
            raise OSError(host) from error
        try:
            # Again, of the address that was really reached: a name may lead elsewhere a moment later.
            self._check_addresses([sock.getpeername()[0]])
        except UploadError:
            sock.close()
            raise
        sock.setblocking(False)
        return sock

    def _check_addresses(self, addresses):
        if not self.target.allow_private_network and not all(map(is_public, addresses)):
            raise UploadError(
                self.env._(
                    "The host %(host)s leads into a private network. For a system of your own, allow it on "
                    "the target.",
                    host=self.target.host,
                )
            )
