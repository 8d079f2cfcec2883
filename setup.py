"""Build of the compiled core. Everything else is in pyproject.toml.

Environment switches:
  FASTMLP_DEBUG=1         bounds checks and the core's own checks on, optimisation off
  FASTMLP_SANITIZE=1      address and undefined-behaviour sanitizers (.ci/sanitize runs the tests under them)
  FASTMLP_SANITIZE=thread the thread sanitizer (.ci/races runs a small training under it)
  FASTMLP_COVERAGE=1      line coverage of the core, optimisation off (.ci/coverage prints it)
  FASTMLP_OPENMP=0        one thread only, no OpenMP runtime
  FASTMLP_MULTIVERSION=0  one version of each kernel, for the oldest CPU of the architecture
  FASTMLP_MULTIVERSION=3  versions up to AVX2 (x86-64-v3), none for AVX-512
"""

import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup


def switch(name: str, default: bool) -> bool:
    return os.environ.get(name, str(int(default))) not in ("", "0")


DEBUG = switch("FASTMLP_DEBUG", False)
SANITIZE = switch("FASTMLP_SANITIZE", False) and (
    "thread" if os.environ["FASTMLP_SANITIZE"] == "thread" else "address,undefined"
)
COVERAGE = switch("FASTMLP_COVERAGE", False)
MULTIVERSION = int(os.environ.get("FASTMLP_MULTIVERSION") or ("0" if DEBUG else "4"))

DIRECTIVES = {
    "language_level": 3,
    "boundscheck": DEBUG,
    "wraparound": False,
    "initializedcheck": DEBUG,
    "nonecheck": DEBUG,
    "cdivision": True,
    "embedsignature": True,
    "freethreading_compatible": True,
}


def openmp_flags() -> list[str]:
    """The compiler's OpenMP flags if a small program builds with them, else none."""
    if not switch("FASTMLP_OPENMP", True) or platform.system() in ("Darwin", "Windows"):
        return []
    compiler = os.environ.get("CC", "cc").split()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "probe.c")
        source.write_text("#include <omp.h>\nint main(void) { return omp_get_max_threads() < 1; }\n")
        command = [*compiler, "-fopenmp", str(source), "-o", str(Path(folder, "probe"))]
        try:
            works = subprocess.run(command, capture_output=True, check=False).returncode == 0
        except OSError:
            works = False
    if not works:
        print("fastmlp: the compiler has no OpenMP, building for one thread", file=sys.stderr)
    return ["-fopenmp"] if works else []


def flags() -> tuple[list[str], list[str], list[tuple[str, str]]]:
    """Compiler flags, linker flags and macros."""
    if platform.system() == "Windows":
        return ["/O2"], [], []
    openmp = openmp_flags()
    # Neither flag changes a result: no kernel reads errno or the floating-point exception flags.
    optimisation = "-O0" if DEBUG or COVERAGE else "-O1" if SANITIZE else "-O3"
    compile_flags = [optimisation, "-fno-math-errno", "-fno-trapping-math", *openmp]
    link_flags = [*openmp]
    macros = [("CYTHON_USE_SYS_MONITORING", "0")]
    if DEBUG:
        macros.append(("FASTMLP_DEBUG", "1"))
    else:
        compile_flags.append("-g0")
    if MULTIVERSION:
        macros.append(("FASTMLP_MULTIVERSION", str(MULTIVERSION)))
    if SANITIZE:
        sanitizers = [f"-fsanitize={SANITIZE}", "-fno-sanitize-recover=undefined", "-g"]
        compile_flags += sanitizers
        link_flags += sanitizers
    if COVERAGE:
        compile_flags += ["--coverage", "-fprofile-update=atomic"]
        link_flags.append("--coverage")
    return compile_flags, link_flags, macros


compile_flags, link_flags, macros = flags()
headers = sorted(Path("cnn_core").rglob("*.h"))
extensions = [
    Extension(
        ".".join(source.with_suffix("").parts),
        [str(source)],
        depends=[str(header) for header in headers],
        include_dirs=sorted({str(header.parent) for header in headers}),
        extra_compile_args=compile_flags,
        extra_link_args=link_flags,
        define_macros=macros,
    )
    for source in sorted(Path("cnn_core").rglob("*.pyx"))
]


def switches_changed(wanted: str) -> bool:
    """Whether the last build used other flags, so that its objects cannot be reused; records the new flags."""
    stamp = Path("build", "switches.txt")
    changed = stamp.exists() and stamp.read_text() != wanted
    stamp.parent.mkdir(exist_ok=True)
    stamp.write_text(wanted)
    return changed


n_jobs = os.cpu_count() or 1
force = switches_changed(f"{compile_flags} {macros} {DIRECTIVES}")
setup(
    ext_modules=cythonize(extensions, compiler_directives=DIRECTIVES, nthreads=n_jobs, force=force),
    options={"build_ext": {"parallel": n_jobs, "force": force}},
)
