"""A Word document to PDF/A-3 by LibreOffice, which the machine may have or not."""

import contextlib
import json
import os
import signal
import subprocess
import tempfile
from pathlib import Path

from odoo.tools import find_in_path

PROGRAMS = ("soffice", "libreoffice")
TIMEOUT_S = 90
# PDF/A-3b, tagged, nothing to be filled in.
EXPORT = {
    "SelectPdfVersion": {"type": "long", "value": "3"},
    "UseTaggedPDF": {"type": "boolean", "value": "true"},
    "ExportFormFields": {"type": "boolean", "value": "false"},
    "DisplayPDFDocumentTitle": {"type": "boolean", "value": "true"},
}
# No macros, no links followed: a template that got past the checks still reaches nothing.
SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Common/Security/Scripting">
<prop oor:name="DisableMacrosExecution" oor:op="fuse"><value>true</value></prop>
<prop oor:name="BlockUntrustedRefererLinks" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Writer/Content/Update">
<prop oor:name="Link" oor:op="fuse"><value>0</value></prop></item>
</oor:items>
"""


class OfficeError(RuntimeError):
    """The conversion failed. `reason` is "absent", "timeout" or "failed"."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason, self.detail = reason, detail


def find_office() -> str | None:
    """The program's path, or None where LibreOffice is not installed."""
    for program in PROGRAMS:
        with contextlib.suppress(OSError):
            return find_in_path(program)
    return None


def convert_to_pdf(docx: bytes, timeout: float = TIMEOUT_S) -> bytes:
    """:raise OfficeError: when there is no LibreOffice, or it makes no PDF in time."""
    program = find_office()
    if not program:
        raise OfficeError("absent")
    with tempfile.TemporaryDirectory(prefix="emsp-office-") as name:
        folder = Path(name)
        (folder / "document.docx").write_bytes(docx)
        profile = folder / "profile"
        (profile / "user").mkdir(parents=True)
        (profile / "user" / "registrymodifications.xcu").write_text(SETTINGS, encoding="utf-8")
        message = _run(
            [
                program,
                # A profile of its own: two conversions at the same time do not wait for each other.
                f"-env:UserInstallation={profile.as_uri()}",
                "--headless",
                "--norestore",
                "--nolockcheck",
                "--nodefault",
                "--convert-to",
                f"pdf:writer_pdf_Export:{json.dumps(EXPORT)}",
                "--outdir",
                str(folder),
                str(folder / "document.docx"),
            ],
            folder,
            timeout,
        )
        result = folder / "document.pdf"
        pdf = result.read_bytes() if result.exists() else b""
    if not pdf.startswith(b"%PDF"):
        raise OfficeError("failed", message[-300:])
    return pdf


def _run(command: list[str], folder: Path, timeout: float) -> str:
    """:return: what the program printed. Its children end with it when its time is up."""
    # Nothing of Odoo's environment, which holds passwords.
    environment = {
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
    }
    with subprocess.Popen(  # noqa: S603  no shell, and no word of it is the user's
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            output, __ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as error:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise OfficeError("timeout", f"{timeout:g} s") from error
    return output.decode(errors="replace").strip()
