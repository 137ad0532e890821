"""What the package leaves to its users: where objects are kept, and who may come in."""

import secrets
from collections import defaultdict
from datetime import UTC, datetime

from py_ocpi.core.authentication import authenticator
from py_ocpi.core.config import settings
from py_ocpi.core.crud import Crud
from py_ocpi.core.enums import ModuleID
from py_ocpi.modules.versions.enums import VersionNumber


def new_token():
    """A token of which the package can tell that it is not in Base64.

    Its list of versions decodes every token, also those of 2.1.1, and takes one as it is only where that does
    not give text: these four letters are no UTF-8 when decoded.
    """
    return "zzzz" + secrets.token_hex(14)


class Platform:
    """State of the one platform that runs here."""

    def __init__(self):
        self.role = self.versions_url = ""
        self.objects = defaultdict(dict)
        self.tokens_a, self.tokens_c = [], []
        self.partner = None

    def invite(self):
        self.tokens_a = [new_token()]
        return self.tokens_a[0]

    def introduce(self, version):
        """Our credentials with a new token; the one before ends."""
        self.tokens_a, self.tokens_c = [], [new_token()]
        return self.credentials(version)

    def credentials(self, version):
        party = {
            "business_details": {"name": f"Foreign {self.role}"},
            "party_id": settings.PARTY_ID,
            "country_code": settings.COUNTRY_CODE,
        }
        own = {"token": self.tokens_c[0], "url": self.versions_url}
        if version == VersionNumber.v_2_1_1:
            return {**own, **party}
        return {**own, "roles": [{"role": self.role, **party}]}

    def keep(self, version, module, content):
        self.objects[version, module][key_of(content)] = content
        return content


PLATFORM = Platform()


def key_of(content):
    return (content.get("uid") or content["id"]).casefold()


class Authenticator(authenticator.Authenticator):
    @classmethod
    async def get_valid_token_c(cls):
        return PLATFORM.tokens_c

    @classmethod
    async def get_valid_token_a(cls):
        return PLATFORM.tokens_a


class Store(Crud):
    """Objects by version and module, in memory."""

    async def get(self, module, role, id, *args, version, **kwargs):
        if module == ModuleID.credentials_and_registration:
            return PLATFORM.credentials(version) if PLATFORM.tokens_c else None
        return PLATFORM.objects[version, module].get(id.casefold())

    async def list(self, module, role, filters, *args, version, **kwargs):
        found = [each for each in PLATFORM.objects[version, module].values() if is_within(each, filters)]
        end = filters["offset"] + filters["limit"]
        return found[filters["offset"] : end], len(found), end >= len(found)

    async def create(self, module, role, data, *args, version, **kwargs):
        if module == ModuleID.credentials_and_registration:
            PLATFORM.partner = data["credentials"]
            return PLATFORM.introduce(version)
        return PLATFORM.keep(version, module, data)

    async def update(self, module, role, data, id, *args, version, **kwargs):
        return await self.create(module, role, data, version=version)

    async def delete(self, module, role, id, *args, version, **kwargs):
        if module == ModuleID.credentials_and_registration:
            PLATFORM.tokens_c, PLATFORM.partner = [], None
        else:
            del PLATFORM.objects[version, module][id.casefold()]

    async def do(self, module, role, action, *args, **kwargs):
        raise NotImplementedError(action)


def is_within(content, filters):
    changed = datetime.fromisoformat(content["last_updated"].replace("Z", "+00:00"))
    date_from, date_to = (utc(filters[name]) for name in ("date_from", "date_to"))
    return not (date_from and changed < date_from) and not (date_to and changed >= date_to)


def utc(instant):
    return instant.replace(tzinfo=UTC) if instant and not instant.tzinfo else instant
