"""Dockerfile and docker-compose.yml, checked without a Docker engine."""

import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?:(?P<operator>:[-?])(?P<operand>[^}]*))?\}")


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


@pytest.fixture(scope="module")
def services(compose):
    return compose["services"]


@pytest.fixture(scope="module")
def instructions():
    """The Dockerfile as (instruction, rest) pairs, continuation lines joined."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    text = "\n".join(line for line in lines if not line.startswith("#"))
    joined = re.sub(r"\\\n\s*", " ", text)
    return [tuple(line.split(None, 1)) for line in joined.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def odoo_conf():
    parser = configparser.RawConfigParser()
    parser.read(ROOT / "docker" / "odoo.conf")
    return parser


def arguments_of(instructions, name):
    return [rest for instruction, rest in instructions if instruction == name]


def with_defaults(value):
    """The value as Compose sees it when the environment sets nothing."""
    return VARIABLE.sub(lambda match: match["operand"] or "", str(value))


def venv_tool(name):
    """A tool installed beside the running Python, or on the path."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name)


# The files as such


def test_compose_file_is_valid_by_the_compose_specification(compose):
    where = "check_jsonschema/builtin_schemas/vendor/compose-spec.json"
    schema = json.loads(Path(distribution("check-jsonschema").locate_file(where)).read_text())
    validator = jsonschema.validators.validator_for(schema)(schema)
    problems = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(compose)]
    assert problems == []


def test_dockerfile_passes_the_linter():
    run = subprocess.run(
        [venv_tool("hadolint"), "--no-color", str(ROOT / "Dockerfile")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout) == (0, "")


# The image


def test_image_starts_from_a_dated_official_odoo_19(instructions):
    assert len(arguments_of(instructions, "FROM")) == 1
    assert re.fullmatch(r"odoo:19\.0-\d{8}", arguments_of(instructions, "FROM")[0])


def test_image_installs_exactly_the_one_list_of_requirements(instructions):
    commands = [
        shlex.split(command) for run in arguments_of(instructions, "RUN") for command in run.split("&&")
    ]
    installs = [c for c in commands if "install" in c and c[0].endswith(("pip", "pip3"))]
    assert len(installs) == 1
    arguments = installs[0][installs[0].index("install") + 1 :]
    assert arguments[-2:] == ["--requirement", "/opt/clearing/requirements.txt"]
    # ":all:" is the operand of --only-binary; nothing else is named beside the list
    assert [a for a in arguments[:-2] if not a.startswith("--")] == [":all:"]
    copies = [shlex.split(rest) for rest in arguments_of(instructions, "COPY")]
    assert ["requirements.txt", "/opt/clearing/requirements.txt"] in copies


def test_every_requirement_has_one_exact_version():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    wanted = [line for line in lines if line.strip() and not line.startswith("#")]
    assert wanted
    assert [line for line in wanted if not re.match(r"[\w.-]+==[\w.]+( ;.*)?$", line)] == []


def test_image_does_not_run_as_root(instructions):
    assert arguments_of(instructions, "USER")[-1] == "odoo"


def test_image_asks_odoo_for_its_health(instructions):
    (check,) = arguments_of(instructions, "HEALTHCHECK")
    assert "http://127.0.0.1:8069/web/health" in check


def test_image_carries_the_add_on_outside_the_volumes_of_the_base_image(instructions, odoo_conf):
    copies = [shlex.split(rest) for rest in arguments_of(instructions, "COPY")]
    assert ["emsp_clearing", "/opt/clearing/addons/emsp_clearing"] in copies
    assert "/opt/clearing/addons" in odoo_conf["options"]["addons_path"].split(",")


def test_everything_the_image_copies_exists_and_reaches_the_builder(instructions):
    kept = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    for rest in arguments_of(instructions, "COPY"):
        for source in shlex.split(rest)[:-1]:
            assert (ROOT / source).exists(), source
            assert source.split("/")[0] in kept, source


@pytest.mark.parametrize("script", ["odoo", "clearing-init"])
def test_scripts_of_the_image_are_executable(script):
    assert os.access(ROOT / "docker" / script, os.X_OK)


# What runs in it


def test_odoo_loads_the_job_runner_and_gives_every_channel_of_the_add_on_a_limit(odoo_conf):
    assert "queue_job" in odoo_conf["options"]["server_wide_modules"].split(",")
    configured = {part.rsplit(":", 1)[0] for part in odoo_conf["queue_job"]["channels"].split(",")}
    data = (ROOT / "emsp_clearing" / "data" / "queue_job_data.xml").read_text()
    names = re.findall(r'model="queue\.job\.channel">\s*<field name="name">(\w+)<', data)
    assert names
    assert configured == {"root", *(f"root.{name}" for name in names)}


def test_database_manager_is_shut(odoo_conf):
    assert odoo_conf["options"]["list_db"] == "False"


def test_configuration_holds_no_password(odoo_conf):
    names = [name for section in odoo_conf.sections() for name in odoo_conf[section]]
    assert [name for name in names if re.search("pass|secret|token", name)] == []


# The services


def test_every_service_that_stays_up_is_watched(services):
    for name, service in services.items():
        if service.get("restart") == "no":
            assert service["healthcheck"] == {"disable": True}, name
        else:
            assert service["healthcheck"]["test"][0] == "CMD", name
            assert service["restart"] == "unless-stopped", name


def test_odoo_starts_after_a_healthy_database_and_a_finished_initialisation(services):
    waits = {name: rule["condition"] for name, rule in services["odoo"]["depends_on"].items()}
    assert waits["db"] == "service_healthy"
    assert waits["init"] == "service_completed_successfully"
    assert services["init"]["depends_on"]["db"]["condition"] == "service_healthy"
    assert services["init"]["command"] == ["clearing-init"]


def test_mail_of_odoo_goes_to_the_catcher(services):
    environment = services["odoo"]["environment"]
    host = with_defaults(environment["ODOO_SMTP_SERVER"])
    port = with_defaults(environment["ODOO_SMTP_PORT"])
    assert host in services
    assert services[host]["image"].startswith("axllent/mailpit:v")
    assert services[host]["environment"]["MP_SMTP_BIND_ADDR"].endswith(f":{port}")


def test_catcher_shows_its_web_page(services):
    (port,) = services["mail"]["ports"]
    page = services["mail"]["environment"]["MP_UI_BIND_ADDR"].rsplit(":", 1)[1]
    assert with_defaults(port) == f"127.0.0.1:{page}:{page}"


def test_every_image_has_a_version(services):
    tags = {name: service["image"].partition(":")[2] for name, service in services.items()}
    assert [name for name, tag in tags.items() if not re.search(r"\d+\.\d+", tag)] == []
    assert services["db"]["image"].startswith("postgres:16.")


def test_ports_are_published_on_this_machine_only(services):
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_database_filestore_and_mail_are_kept_in_named_volumes(compose, services):
    mounted = {volume.split(":")[0] for service in services.values() for volume in service.get("volumes", [])}
    assert mounted == set(compose["volumes"]) == {"db-data", "odoo-data", "mail-data"}


# Secrets


def test_every_password_is_a_required_variable(services):
    passwords = {
        (name, key): value
        for name, service in services.items()
        for key, value in service.get("environment", {}).items()
        if "PASSWORD" in key
    }
    assert {key for _, key in passwords} == {
        "ODOO_ADMIN_PASSWORD",
        "PGPASSWORD",
        "POSTGRES_PASSWORD",
    }
    for where, value in passwords.items():
        match = VARIABLE.fullmatch(value)
        assert match and match["operator"] == ":?", where


def test_example_environment_names_every_variable_and_sets_no_secret():
    example = (ROOT / ".env.example").read_text()
    settings = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", example, re.MULTILINE))
    compose_text = (ROOT / "docker-compose.yml").read_text()
    used = {match["name"]: match for match in VARIABLE.finditer(compose_text)}
    assert set(settings) == set(used)
    for name, match in used.items():
        expected = match["operand"] if match["operator"] == ":-" else ""
        assert settings[name] == expected, name


def test_filled_in_environment_stays_out_of_git_and_out_of_the_image():
    assert {".env", "/.env"} & set((ROOT / ".gitignore").read_text().split())
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in ignored if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert not [rule for rule in rules if rule.startswith("!.env")]
