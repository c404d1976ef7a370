"""Pulumi operations on one stack: up, preview, refresh, destroy, with progress and clean interruption."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tidegate.deploy.events import EventLog, OperationProgress
from tidegate.deploy.locks import await_lock
from tidegate.deploy.salt import salt_of, state_salt, with_salt
from tidegate.errors import TidegateError
from tidegate.host.orphan import end_with_parent
from tidegate.host.paths import state_dir
from tidegate.proc import run

Report = Callable[[OperationProgress], None]

#: How long Pulumi may take to finish the steps in flight after Ctrl-C before it is killed.
CANCEL_GRACE_S = 90.0

#: How long to wait for a Pulumi whose `tidegate` was killed: it ends by itself after the steps in flight.
LOCK_WAIT_S = 240.0


class Stack:
    """One Pulumi stack of the project at `root`.

    Args:
        root: folder with `Pulumi.yaml`.
        name: stack name; its configuration is `Pulumi.<name>.yaml` there.
        environment: additions to the child's environment (`tool_environment`).
    """

    def __init__(self, root: Path, name: str, environment: Mapping[str, str]) -> None:
        self.root = root
        self.name = name
        self._env = {**os.environ, **environment}
        self._pulumi = str(Path(environment["PATH"].split(os.pathsep)[0]) / "pulumi")

    def exists(self) -> bool:
        """Whether the backend knows the stack."""
        listed = run([self._pulumi, "stack", "ls", "--json"], env=self._env, cwd=self.root)
        return f'"name": "{self.name}"' in listed.stdout

    def ensure(self, say: Callable[[str], None]) -> None:
        """Create the stack in the backend unless it is there, and release locks of dead processes.

        Args:
            say: takes what is waited for, where an earlier operation is still ending.

        Raises:
            TidegateError: another operation holds the stack, and goes on holding it.
        """
        if not self.exists():
            self._init()
        await_lock(self._env["PULUMI_BACKEND_URL"], self.name, say, limit_s=LOCK_WAIT_S)

    def _init(self) -> None:
        """Create the stack from a folder of our own.

        `stack init` writes the salt of the stack's encryption into the configuration file beside Pulumi.yaml.
        It belongs to this machine's passphrase, so it must not enter a file that is committed.
        """
        with tempfile.TemporaryDirectory(prefix="tidegate-") as folder:
            shutil.copy2(self.root / "Pulumi.yaml", folder)
            command = [self._pulumi, "stack", "init", self.name, "--non-interactive"]
            run(command, env=self._env, cwd=Path(folder))
            salted = Path(folder) / f"Pulumi.{self.name}.yaml"
            salt = salt_of(salted.read_text()) if salted.exists() else None
        self._keep(with_salt("", salt))

    @property
    def _config_file(self) -> Path:
        return state_dir() / "pulumi" / "stacks" / f"{self.name}.yaml"

    def _config(self) -> Path:
        """The project's configuration of the stack, with the salt of this machine.

        The state's own salt counts first: whoever made the state, by hand or not, encrypted it with that.
        """
        text = (self.root / f"Pulumi.{self.name}.yaml").read_text()
        kept = self._config_file.read_text() if self._config_file.exists() else ""
        words = [self._pulumi, "stack", "export", "--stack", self.name]
        exported = run(words, env=self._env, cwd=self.root, check=False).stdout
        self._keep(with_salt(text, state_salt(exported) or salt_of(kept) or salt_of(text)))
        return self._config_file

    def _keep(self, text: str) -> None:
        self._config_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._config_file.write_text(text)

    def outputs(self) -> str:
        """The stack's outputs as JSON text; secrets stay masked."""
        return run(
            [self._pulumi, "stack", "output", "--json", "--stack", self.name], env=self._env, cwd=self.root
        ).stdout

    def up(self, report: Report) -> OperationProgress:
        """Make the world as the program says. What an interrupted `up` left is taken over, not doubled."""
        return self._operate(["up", "--yes", "--skip-preview"], report)

    def preview(self, report: Report) -> OperationProgress:
        """What `up` would do, without doing it."""
        return self._operate(["preview"], report)

    def refresh(self, report: Report) -> OperationProgress:
        """Compare the state with the world, and drop what was deleted by hand."""
        return self._operate(["refresh", "--yes", "--skip-preview", "--clear-pending-creates"], report)

    def destroy(self, report: Report) -> OperationProgress:
        """Delete everything the stack made."""
        return self._operate(["destroy", "--yes", "--skip-preview"], report)

    def remove(self) -> None:
        """Forget the stack in the backend, whatever its state says is still there."""
        command = [self._pulumi, "stack", "rm", self.name, "--yes", "--force", "--preserve-config"]
        run(command, env=self._env, cwd=self.root)
        self._config_file.unlink(missing_ok=True)

    def _operate(self, words: list[str], report: Report) -> OperationProgress:
        log_dir = state_dir() / "logs"
        log_dir.mkdir(parents=True, exist_ok=True)
        log_path = log_dir / f"pulumi-{words[0]}.log"
        progress = OperationProgress()
        with tempfile.TemporaryDirectory(prefix="tidegate-") as folder, log_path.open("wb") as log:
            events = EventLog(Path(folder) / "events.jsonl")
            command = [self._pulumi, *words, "--stack", self.name, "--config-file", str(self._config())]
            command += ["--non-interactive", "--color", "never"]
            child = subprocess.Popen(
                [*command, "--event-log", str(Path(folder) / "events.jsonl")],
                env={**self._env, "PULUMI_DEBUG_COMMANDS": "true"},  # without it the event log is refused
                cwd=self.root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches it through us, once, and not its providers
                preexec_fn=end_with_parent(signal.SIGINT),
            )
            try:
                while child.poll() is None:
                    self._drain(events, progress)
                    report(progress)
                    time.sleep(0.2)
            except BaseException:
                self._cancel(child)
                raise
            self._drain(events, progress)
            report(progress)
        if child.returncode != 0:
            raise _failure(words[0], progress, log_path)
        return progress

    @staticmethod
    def _drain(events: EventLog, progress: OperationProgress) -> None:
        for event in events.new_events():
            progress.take(event)

    @staticmethod
    def _cancel(child: subprocess.Popen[bytes]) -> None:
        """Let Pulumi end the steps in flight and write its state; kill it only when it does not."""
        child.send_signal(signal.SIGINT)
        try:
            child.wait(CANCEL_GRACE_S)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def _failure(operation: str, progress: OperationProgress, log_path: Path) -> TidegateError:
    """The first telling error of an operation as one line."""
    text = log_path.read_text(errors="replace") if log_path.exists() else ""
    if "the stack is currently locked" in text:
        return TidegateError(
            "another Pulumi operation holds the stack's lock",
            cure="wait for it, or run `pulumi cancel` if its process is gone",
        )
    telling = next((line for line in progress.errors if "update failed" not in line), None)
    if telling is None:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        telling = next(
            (line for line in lines if line.startswith("error:")), lines[-1] if lines else "no output"
        )
    return TidegateError(
        f"pulumi {operation} failed: {telling[:600]}",
        where=str(log_path),
        cure="mend it and run the same command again; it goes on where it stopped",
    )
