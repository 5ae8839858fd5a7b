"""./dev: one file that sets up on any machine. Installing itself is left to the machines that start from nothing."""

import importlib.machinery
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def dev(tmp_path: Path) -> ModuleType:
    """./dev in a checkout of its own, which is set up already: with this Python and without any package."""
    checkout = tmp_path / "a checkout"
    (checkout / ".venv/bin").mkdir(parents=True)
    (checkout / ".dev").mkdir()
    (checkout / ".venv/bin/python").symlink_to(sys.executable)
    (checkout / "requirements").mkdir()
    for name in ("base.txt", "dev.txt", "uv.txt"):
        (checkout / "requirements" / name).write_text((ROOT / "requirements" / name).read_text())
    (checkout / "dev").write_text((ROOT / "dev").read_text())
    (checkout / "dev").chmod(0o755)
    loader = importlib.machinery.SourceFileLoader("dev", str(checkout / "dev"))
    spec = importlib.util.spec_from_loader("dev", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    loader.exec_module(module)
    sys.dont_write_bytecode = before
    (checkout / ".venv/made-by").write_text(module.python_stamp())
    (checkout / ".venv/holds").write_text(module.stamp(module.TOOLS))
    (checkout / ".dev/encoder-made").write_text(module.encoder_stamp())
    return module


def call(dev: ModuleType, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(dev.ROOT / "dev"), *arguments],
        env=os.environ | variables,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_command_runs_inside_the_environment_and_its_exit_code_is_ours(dev: ModuleType) -> None:
    done = call(dev, "run", "sh", "-c", 'echo "$VIRTUAL_ENV"; exit 7')
    assert (done.stdout, done.returncode) == (f"{dev.VENV}\n", 7)


def test_what_is_set_up_is_not_set_up_again_and_nothing_is_said(dev: ModuleType) -> None:
    assert call(dev, "run", "true").stderr == ""


def test_the_callers_pythonpath_does_not_reach_the_product(dev: ModuleType) -> None:
    done = call(dev, "run", "sh", "-c", 'echo "<$PYTHONPATH>"', PYTHONPATH="/elsewhere")
    assert done.stdout == "<>\n"


def test_an_environment_with_the_tools_is_good_for_the_product(dev: ModuleType) -> None:
    assert dev.is_set_up(dev.PRODUCT)
    assert dev.is_set_up(dev.TOOLS)


def test_an_environment_for_the_product_lacks_the_tools(dev: ModuleType) -> None:
    (dev.VENV / "holds").write_text(dev.stamp(dev.PRODUCT))
    assert dev.is_set_up(dev.PRODUCT)
    assert not dev.is_set_up(dev.TOOLS)


def test_a_changed_lock_makes_the_environment_stale(dev: ModuleType) -> None:
    (dev.REQUIREMENTS / "base.txt").write_text("another==1\n")
    assert not dev.is_set_up(dev.PRODUCT)


def test_a_moved_checkout_makes_the_environment_stale(dev: ModuleType) -> None:
    (dev.VENV / "made-by").write_text(dev.python_stamp().replace("a checkout", "elsewhere"))
    assert not dev.is_set_up(dev.PRODUCT)


def test_an_unknown_command_names_those_there_are(dev: ModuleType) -> None:
    done = call(dev, "tset")
    assert done.returncode == 1
    assert "no command 'tset'" in done.stderr
    assert "./dev test" in done.stderr


def test_a_program_that_is_nowhere_is_named(dev: ModuleType) -> None:
    done = call(dev, "run", "gatepots")
    assert done.returncode == 1
    assert "no command 'gatepots'" in done.stderr


def test_an_unknown_proof_names_those_there_are(dev: ModuleType) -> None:
    (dev.ROOT / "tests/soak").mkdir(parents=True)
    (dev.ROOT / "tests/soak/sends.py").touch()
    with pytest.raises(dev.CannotGoOn, match="sends"):
        dev.soak_name(["sned"])
    assert dev.soak_name(["sends"]) == "sends"


def test_without_pip_the_wheel_that_came_with_python_is_run_where_it_lies(
    dev: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = tmp_path / "pip-1.0-py3-none-any.whl"
    (wheel / "pip").mkdir(parents=True)
    (wheel / "pip/__main__.py").write_text("print('pip 1.0')")
    monkeypatch.setattr(dev.sys, "executable", no_pip(tmp_path))
    monkeypatch.setattr(dev, "pip_wheels", lambda: [wheel])
    assert dev.find_pip() == [str(tmp_path / "python"), f"{wheel}/pip"]


def test_without_any_pip_it_says_what_to_install(
    dev: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dev.sys, "executable", no_pip(tmp_path))
    monkeypatch.setattr(dev, "pip_wheels", list)
    monkeypatch.setattr(dev, "pip_wheels_from_debian", list)
    with pytest.raises(dev.CannotGoOn, match="apt install python3-pip"):
        dev.find_pip()


def test_the_home_folder_is_not_needed(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UV_CACHE_DIR", raising=False)
    monkeypatch.delenv("HOME", raising=False)
    assert dev.for_installing()["UV_CACHE_DIR"] == str(dev.OWN / "cache")


def test_no_python_is_ever_downloaded(dev: ModuleType) -> None:
    assert dev.for_installing()["UV_PYTHON_DOWNLOADS"] == "never"


@pytest.mark.parametrize("lock", ["base.txt", "dev.txt", "uv.txt"])
def test_a_lock_names_every_package_with_its_hash_and_no_package_host(lock: str) -> None:
    lines = (ROOT / "requirements" / lock).read_text().splitlines()
    named = [number for number, line in enumerate(lines) if "==" in line and not line.startswith(" ")]
    assert named
    assert all("--hash=sha256:" in lines[number + 1] for number in named)
    assert not [
        line for line in lines if "//" in line or line.lstrip().startswith(("--index", "--extra", "--find"))
    ]


def no_pip(tmp_path: Path) -> str:
    """A Python that knows no module pip."""
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\n[ "$1" = -m ] && exit 1\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    return str(python)


def test_only_the_tests_are_told_of_a_browser(
    dev: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "chromium").write_text("#!/bin/sh\n")
    (tmp_path / "chromium").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("GATEPOST_CHROMIUM", "")
    monkeypatch.delenv("GATEPOST_CHROMIUM")
    assert call(dev, "run", "sh", "-c", 'echo "<$GATEPOST_CHROMIUM>"').stdout == "<>\n"
    dev.name_the_browser()
    assert dev.inside()["GATEPOST_CHROMIUM"] == str(tmp_path / "chromium")
