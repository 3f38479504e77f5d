"""The common parts of all figures: the measured programs, directories, rounds and progress
output."""
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from . import stamps
from .processes import Trouble

ROOT = pathlib.Path(__file__).resolve().parents[3]
HERE = ROOT / "Tests/Benchmarks"
STATIC = ROOT / ".build-static"


class Bench:
    def __init__(self, supervise, folder, quick=False, repetitions=None):
        self.supervise = pathlib.Path(supervise)
        self.folder = pathlib.Path(folder)
        self.quick = quick
        self._repetitions = repetitions

    def repetitions(self, usual, quick=2):
        return self._repetitions or (quick if self.quick else usual)

    def say(self, text):
        print(text, file=sys.stderr, flush=True)

    def program(self, name, *sources):
        """Compiles a program of the directory `programs` once."""
        target = self.folder / name
        if not target.exists():
            subprocess.run(
                ["cc", "-O2", "-pthread", f"-I{ROOT}/Sources/CSupervisePreload", "-o", target,
                 HERE / f"programs/{name}.c", *sources], check=True)
        return str(target)

    @contextlib.contextmanager
    def scratch(self):
        """Creates an empty directory with a file for stamps."""
        folder = tempfile.mkdtemp(dir=self.folder)
        try:
            yield folder, stamps.Stamps(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def rounds(self, subjects, repetitions):
        """Takes samples of each subject in turns, because the speed of the machine changes over
        time. `subjects` is a dictionary of functions. A subject that fails is reported and not
        measured again."""
        samples = {name: [] for name in subjects}
        for number in range(repetitions):
            for name, measure in list(subjects.items()):
                if name not in samples:
                    continue
                try:
                    samples[name].append(measure())
                except (Trouble, OSError, subprocess.SubprocessError) as error:
                    self.say(f"  {name} is skipped: {error}")
                    del samples[name]
            latest = ", ".join(f"{name} {values[-1]:.4g}" if isinstance(values[-1], (int, float))
                             else name for name, values in samples.items() if values)
            self.say(f"  round {number + 1} of {repetitions}: {latest}")
        return samples


def build():
    """Installs the static release binary and its library, as a user would. The kernel usually keeps
    a copied file in larger pages than a file written by the linker."""
    subprocess.run(
        ["swift", "build", "-c", "release", "--static-swift-stdlib", "--quiet", "--scratch-path",
         STATIC],
        cwd=ROOT, check=True, stdout=sys.stderr, env={**os.environ, "SUPERVISE_STATIC": "1"})
    installed = STATIC / "installed"
    installed.mkdir(exist_ok=True)
    return install(STATIC / "release/supervise", installed)


def install(program, folder):
    """Copies a built program and its library. Returns the path of the copy."""
    for name in ("supervise", "libsupervise-preload.so"):
        copy = pathlib.Path(folder) / name
        copy.unlink(missing_ok=True)
        shutil.copy2(pathlib.Path(program).parent / name, copy)
    return pathlib.Path(folder) / "supervise"
