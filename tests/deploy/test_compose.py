"""The headquarters in containers: sound by the Compose specification, hardened, and wired like the systemd units.

No container was started here: the schema is the specification's own, Compose itself is asked where it is on the machine,
and the services' command lines run as processes in `test_services.py`.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import pytest
import yaml

from config.load import load_config
from tests.lock_file import locked

HOUSE: Final = Path(__file__).parents[2]
DEPLOY: Final = HOUSE / "deploy"
SCHEMA: Final = Path(__file__).with_name("vendor") / "compose-spec" / "compose-spec.json"
COMPOSE: Final[dict[str, Any]] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: Final[dict[str, Any]] = COMPOSE["services"]
PARTS: Final = ("broker", "collect", "watch", "alerts", "wall", "desk", "reflect")
ONCE: Final = ("store-init", "grafana-files")
"""What ends by itself."""
IMAGE: Final = re.compile(r"[a-z/]+:\d+\.\d+\.\d+(@sha256:[0-9a-f]{64})?")


def test_the_file_is_what_the_specification_says() -> None:
    validator = jsonschema_rs.validator_for(json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert [f"{error.instance_path}: {error.message}" for error in validator.iter_errors(COMPOSE)] == []
    wrong = COMPOSE | {"services": SERVICES | {"wall": SERVICES["wall"] | {"read_onli": True}}}
    assert not validator.is_valid(wrong), "the schema finds nothing"


def test_compose_itself_loads_it(tmp_path: Path) -> None:
    """`docker compose config`, where that is on the machine."""
    asked = shutil.which("docker") and subprocess.run(
        ["docker", "compose", "version"], capture_output=True, check=False
    )
    if not asked or asked.returncode:
        pytest.skip("docker compose is not on this machine: schema-checked only")
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    subprocess.run(["sh", str(tmp_path / "deploy" / "compose" / "secrets.sh")], check=True)
    done = subprocess.run(
        ["docker", "compose", "-f", str(tmp_path / "deploy" / "compose.yaml"), "config", "--quiet"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_may_do_as_little_as_it_can(name: str) -> None:
    """No capability, no way to more, nothing written outside its volumes, no root, bounds on what it takes."""
    one = SERVICES[name]
    assert one["read_only"] is True
    assert one["cap_drop"] == ["ALL"]
    assert "cap_add" not in one
    assert "privileged" not in one
    assert one["security_opt"] == ["no-new-privileges:true"]
    assert int(one["user"].partition(":")[0]) > 0
    assert one["mem_limit"]
    assert one["cpus"]
    assert one["pids_limit"]
    assert IMAGE.fullmatch(one["image"]), "an exact version, or a digest"
    if name in ONCE:
        assert one["restart"] == "no"
    elif name != "net":
        assert one["healthcheck"]["test"][0] == "CMD"


def test_what_is_named_is_there() -> None:
    """Files, secrets, volumes and networks that services use are the file's own; each secret is drawn by the script."""
    script = (DEPLOY / "compose" / "secrets.sh").read_text(encoding="utf-8")
    for secret, where in COMPOSE["secrets"].items():
        assert where["file"] == f"./compose/secrets/{secret}"
        assert secret in script
    for one in SERVICES.values():
        assert set(one.get("secrets", ())) <= set(COMPOSE["secrets"])
        assert set(one.get("networks", ())) <= set(COMPOSE["networks"])
        for volume in one.get("volumes", ()):
            source = volume.split(":")[0]
            assert (DEPLOY / source).exists() if source.startswith(".") else source in COMPOSE["volumes"]
    assert (DEPLOY / SERVICES["net"]["build"]["context"] / SERVICES["net"]["build"]["dockerfile"]).exists()


def test_secrets_are_drawn_once(tmp_path: Path) -> None:
    """The files can be read in a container, the folder by nobody else; a second run changes nothing."""
    shutil.copy(DEPLOY / "compose" / "secrets.sh", tmp_path)
    drawn = []
    for _ in range(2):
        subprocess.run(["sh", str(tmp_path / "secrets.sh")], check=True, capture_output=True)
        drawn.append({file.name: file.read_text() for file in (tmp_path / "secrets").iterdir()})
    assert drawn[0] == drawn[1]
    assert drawn[0].keys() == set(COMPOSE["secrets"])
    assert len(set(drawn[0].values())) == 3
    assert all(len(text) == 43 for text in drawn[0].values())
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700


def unit_command(name: str) -> list[str]:
    text = (DEPLOY / "systemd" / f"tatpar-{name}.service").read_text(encoding="utf-8")
    found = re.search(r"^ExecStart=/opt/tatpar/venv/bin/tatpar (.*)$", text, re.MULTILINE)
    assert found
    return shlex.split(found[1])


@pytest.mark.parametrize("name", PARTS)
def test_containers_and_units_run_the_same_commands(name: str) -> None:
    """What `test_services.py` starts is what both start; only the reflector's port differs: unprivileged in a container."""
    command = [word.replace("0.0.0.0:8862", "0.0.0.0:862") for word in SERVICES[name]["command"]]
    assert command == unit_command(name)


def test_both_settings_are_loaded_and_differ_in_the_store_alone() -> None:
    """Strictly, by the loader that the services use; every port of the settings is the one that Compose lets in."""
    files = (DEPLOY / "hub" / "tatpar.toml", DEPLOY / "compose" / "config" / "tatpar.toml")
    plain, contained = (tomllib.loads(file.read_text(encoding="utf-8")) for file in files)
    store = contained.pop("store")
    assert plain == contained
    assert store["url"] == "http://influxdb:8086"
    assert store["token_file"] == "/run/secrets/influxdb-token"
    for file in files:
        settings = load_config(file).settings
        ports = (settings.broker.public_port, settings.enrolment.port, settings.wall.port)
        assert SERVICES["net"]["ports"] == [f"{port}:{port}" for port in ports]
        for command in (SERVICES["collect"]["command"], unit_command("collect")):
            assert command[-1] == f"{settings.broker.host}:{settings.broker.port}"


def test_the_image_is_built_from_the_lock() -> None:
    """With hashes, and nothing beside it; the environment that the services read is set."""
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    assert "--require-hashes -r requirements-hub.lock" in text
    assert all(
        "--no-deps" in line or "requirements-hub.lock" in line
        for line in text.splitlines()
        if "pip install" in line
    )
    assert "TATPAR_CONFIG=/etc/tatpar/tatpar.toml" in text
    assert "TATPAR_DATA=/var/lib/tatpar" in text
    assert "USER 10001:10001" in text
    assert SERVICES["wall"]["user"] == "10001:10001"


def test_the_hubs_lock_is_part_of_the_whole_lock() -> None:
    """One version of each library in the house, with the same hashes; no lock names a registry."""
    whole, hub = (
        {requirement.partition(" ")[0]: hashes for requirement, hashes in locked(HOUSE / name).items()}
        for name in ("requirements.lock", "requirements-hub.lock")
    )
    assert {name.split("==")[0] for name in hub} >= {
        "starlette",
        "influxdb-client",
        "distributed",
        "hatchling",
        "numpy",
    }
    assert not {name.split("==")[0] for name in hub} & {"pytest", "mypy", "ruff"}
    for name, hashes in hub.items():
        assert hashes == whole.get(name), f"{name}: make requirements-hub.lock anew (deploy/README.md)"
    assert "://" not in (HOUSE / "requirements-hub.lock").read_text(encoding="utf-8")
