"""What all figures share: the programs under measurement, folders, rounds, and what to say aloud."""
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
        """A program of the folder `programs`, compiled once."""
        target = self.folder / name
        if not target.exists():
            subprocess.run(
                ["cc", "-O2", "-pthread", f"-I{ROOT}/Sources/CSupervisePreload", "-o", target,
                 HERE / f"programs/{name}.c", *sources], check=True)
        return str(target)

    @contextlib.contextmanager
    def scratch(self):
        """An empty folder with a file for stamps."""
        folder = tempfile.mkdtemp(dir=self.folder)
        try:
            yield folder, stamps.Stamps(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def rounds(self, subjects, repetitions):
        """Samples of each subject, a dictionary of functions, taken in turns: a machine is not as
        fast now as it was a minute ago. One that fails is named, and left out from then on."""
        samples = {name: [] for name in subjects}
        for turn in range(repetitions):
            for name, measure in list(subjects.items()):
                if name not in samples:
                    continue
                try:
                    samples[name].append(measure())
                except (Trouble, OSError, subprocess.SubprocessError) as error:
                    self.say(f"  {name} is left out: {error}")
                    del samples[name]
            told = ", ".join(f"{name} {values[-1]:.4g}" if isinstance(values[-1], (int, float))
                             else name for name, values in samples.items() if values)
            self.say(f"  round {turn + 1} of {repetitions}: {told}")
        return samples


def build():
    """The release binary that needs no library, and what goes with it, installed as a user would: of a
    copy the kernel mostly keeps larger pieces in memory than of what a linker wrote."""
    subprocess.run(
        ["swift", "build", "-c", "release", "--static-swift-stdlib", "--quiet", "--scratch-path", STATIC],
        cwd=ROOT, check=True, stdout=sys.stderr, env={**os.environ, "SUPERVISE_STATIC": "1"})
    installed = STATIC / "installed"
    installed.mkdir(exist_ok=True)
    return install(STATIC / "release/supervise", installed)


def install(program, folder):
    """A copy of a built program and of its library; its path."""
    for name in ("supervise", "libsupervise-preload.so"):
        copy = pathlib.Path(folder) / name
        copy.unlink(missing_ok=True)
        shutil.copy2(pathlib.Path(program).parent / name, copy)
    return pathlib.Path(folder) / "supervise"
