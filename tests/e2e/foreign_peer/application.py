"""The package's application over our store, and the door for the tests."""

import faults
import judge
from fastapi import APIRouter, Request
from py_ocpi.core.config import settings
from py_ocpi.core.enums import ModuleID, RoleEnum
from py_ocpi.main import get_application
from py_ocpi.modules.versions.enums import VersionNumber
from store import PLATFORM, Authenticator, Store

MODULES = [
    ModuleID.credentials_and_registration,
    ModuleID.locations,
    ModuleID.sessions,
    ModuleID.cdrs,
    ModuleID.tariffs,
    ModuleID.tokens,
]
control = APIRouter(prefix="/control")


def make_application(role):
    """:param role: CPO or EMSP; a 2.1.1 platform that is both would list two addresses of each module."""
    faults.mend()
    PLATFORM.role = role
    PLATFORM.versions_url = f"{settings.PROTOCOL}://{settings.OCPI_HOST}/{settings.OCPI_PREFIX}/versions"
    application = get_application(
        version_numbers=[VersionNumber.v_2_1_1, VersionNumber.v_2_2_1],
        roles=[RoleEnum(role)],
        crud=Store(),
        modules=MODULES,
        authenticator=Authenticator,
        http_push=True,
    )
    application.include_router(control)
    return application


@control.post("/invite")
async def invite():
    """Give a token A, by which the other side may register."""
    return {"token": PLATFORM.invite(), "versions_url": PLATFORM.versions_url}


@control.post("/introduce")
async def introduce(request: Request):
    """Give our credentials with a new token, as the side that calls sends them."""
    body = await request.json()
    return {"credentials": PLATFORM.introduce(VersionNumber(body["version"]))}


@control.get("/partner")
async def partner():
    """The partner's credentials, as its request or its answer had them."""
    return {"partner": PLATFORM.partner, "valid_tokens": PLATFORM.tokens_c}


@control.post("/offer")
async def offer(request: Request):
    """Have objects of a module, as if they were made here."""
    body = await request.json()
    for each in body["objects"]:
        PLATFORM.keep(VersionNumber(body["version"]), ModuleID(body["module"]), each)
    return {}


@control.get("/held")
async def held(version: VersionNumber, module: ModuleID):
    return {"objects": list(PLATFORM.objects[version, module].values())}


@control.post("/call")
async def call(request: Request):
    """Make a request as a client, and say what the schemas have against the answer."""
    return await judge.call(**await request.json())


@control.post("/read")
async def read(request: Request):
    """Say how the schemas read an object."""
    body = await request.json()
    return judge.read(body["object"], body["schema"], VersionNumber(body["version"]))
