"""README, guides and licence say what is true of the checkout they stand in."""

import ast
import hashlib
import re
import struct
from pathlib import Path

import pytest
import yaml
from lxml import etree

ROOT = Path(__file__).resolve().parents[2]
ADDON = ROOT / "emsp_clearing"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ADDON.glob("readme/*.md")])
# What a page may name by its path; everything below .odoo/ is made by the scripts.
OWN_FOLDERS = (".ci", "benchmarks", "docker", "docs", "emsp_clearing", "script", "tests")
OWN_SUFFIXES = (".conf", ".example", ".md", ".py", ".toml", ".txt", ".yaml", ".yml")

FENCE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://)([^)#\s]+)(?:#[^)]*)?\)")
INLINE_CODE = re.compile(r"`([^`\n]+)`")
SCRIPT = re.compile(r"(?<![\w/.])script/[\w-]+")
MENU = re.compile(r"\*\*(Clearing > [^*]+)\*\*")


def ids(pages):
    return [str(page.relative_to(ROOT)) for page in pages]


every_page = pytest.mark.parametrize("page", PAGES, ids=ids(PAGES))


def paths_in_code(text):
    """The paths of the checkout that stand in backquotes."""
    for code in INLINE_CODE.findall(FENCE.sub("", text)):
        word = code.split()[0]
        is_path = re.fullmatch(r"\.?[\w-]+(?:[./][\w.-]+)*/?", word)
        if is_path and (word.split("/")[0] in OWN_FOLDERS and "/" in word or word.endswith(OWN_SUFFIXES)):
            yield word


def exists(page, path):
    return (ROOT / path).exists() or (page.parent / path).exists()


# Pages


@every_page
def test_every_link_leads_to_a_file(page):
    links = LINK.findall(FENCE.sub("", page.read_text()))
    assert [link for link in links if not (page.parent / link).exists()] == []


@every_page
def test_every_file_that_is_named_exists(page):
    named = paths_in_code(page.read_text())
    # Odoo and what it downloads have files of their own.
    foreign = {".env", "money.py"}
    assert [path for path in named if path not in foreign and not exists(page, path)] == []


@every_page
def test_every_script_that_is_named_exists(page):
    scripts = set(SCRIPT.findall(page.read_text()))
    assert [script for script in scripts if not (ROOT / script).is_file()] == []


@every_page
def test_every_menu_that_is_named_exists(page):
    known = menu_paths()
    assert [path for path in MENU.findall(page.read_text()) if path not in known] == []


@every_page
def test_no_page_names_a_folder_of_somebodys_machine(page):
    assert re.findall(r"(?<![\w.])/(?:home|root|tmp|Users|work|var/tmp)\b\S*", page.read_text()) == []


@every_page
def test_no_page_names_a_ticket(page):
    assert re.findall(r"(?:^|\s)#\d+\b|\bissue \d+\b", page.read_text(), re.IGNORECASE) == []


@every_page
def test_every_page_ends_in_one_line_feed_and_no_line_in_white_space(page):
    text = page.read_text()
    assert text.endswith("\n") and not text.endswith("\n\n")
    assert [line for line in text.splitlines() if line != line.rstrip()] == []


def menu_paths():
    """Every menu of the add-on as "Clearing > CDRs > Inbox"."""
    names, menus = {}, {}
    for file in ADDON.glob("*/*.xml"):
        for element in etree.parse(file).getroot().iter():
            if element.tag == "record" and element.get("model") == "ir.actions.act_window":
                names[element.get("id")] = element.findtext("field[@name='name']")
            elif element.tag == "menuitem":
                menus[element.get("id")] = element

    def path(xmlid):
        menu = menus[xmlid]
        name = menu.get("name") or names[menu.get("action")]
        return f"{path(menu.get('parent'))} > {name}" if menu.get("parent") in menus else name

    return {path(xmlid) for xmlid in menus}


# README and its relatives


def test_readme_shows_the_two_commands_and_a_picture():
    text = (ROOT / "README.md").read_text()
    assert re.search(r"^script/demo$", text, re.MULTILINE)
    assert re.search(r"^script/test$", text, re.MULTILINE)
    assert re.search(r"^!\[[^]]+\]\(docs/images/[\w-]+\.png\)$", text, re.MULTILINE)


def test_every_page_of_docs_is_reached_from_the_readme():
    links = LINK.findall((ROOT / "README.md").read_text())
    assert [page for page in ids(ROOT.glob("docs/*.md")) if page not in links] == []


def test_changelog_knows_the_version_of_the_manifest():
    manifest = ast.literal_eval((ADDON / "__manifest__.py").read_text())
    headings = re.findall(r"^## ([\d.]+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == manifest["version"]


def test_operations_explain_every_variable_of_the_example_environment():
    example = (ROOT / ".env.example").read_text()
    variables = re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE)
    page = (ROOT / "docs" / "operations.md").read_text()
    table = "\n".join(line for line in page.splitlines() if line.startswith("|"))
    assert variables
    assert [name for name in variables if f"`{name}`" not in table] == []


def test_operations_limit_the_same_channels_as_the_image():
    channels = re.compile(r"^ *channels = (.+)$", re.MULTILINE)
    page = (ROOT / "docs" / "operations.md").read_text()
    assert channels.findall(page) == channels.findall((ROOT / "docker" / "odoo.conf").read_text())


@pytest.mark.parametrize("name", ["DESCRIPTION", "CONFIGURE", "USAGE", "ROADMAP", "CONTRIBUTORS"])
def test_add_on_has_the_sections_its_store_page_is_made_of(name):
    assert (ADDON / "readme" / f"{name}.md").read_text().strip()


def test_licence_is_the_unchanged_text_of_the_agpl_3():
    text = (ROOT / "LICENSE").read_bytes()
    assert text.split(b"\n")[0].strip() == b"GNU AFFERO GENERAL PUBLIC LICENSE"
    # SHA-256 of the Free Software Foundation's own agpl-3.0.txt
    expected = "0d96a4ff68ad6d4b6f1f30f713b18d5184912ba8dd389f86aa7710db079abcb0"
    assert hashlib.sha256(text).hexdigest() == expected


def test_icon_is_a_square_of_at_least_128_pixels():
    header = (ADDON / "static" / "description" / "icon.png").read_bytes()[:24]
    assert header[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", header[16:24])
    assert width == height >= 128


# What no linter sees


def test_every_odoo_test_is_imported():
    package = ADDON / "tests"
    imported = {
        alias.name
        for node in ast.parse((package / "__init__.py").read_text()).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    files = {file.stem for file in package.glob("test_*.py")}
    assert files - imported == set()


def test_hooks_before_a_commit_fetch_nothing():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert [repository["repo"] for repository in config["repos"]] == ["local"]
    assert {hook["language"] for hook in config["repos"][0]["hooks"]} == {"system"}
