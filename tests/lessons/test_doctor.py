"""The doctor knows which profiles fit a machine, and which packages do."""

from dataclasses import replace

import pytest
from packaging.requirements import Requirement

from ift_course.hardware import Hardware
from ift_course.lessons import doctor
from ift_course.profile import PROFILES

LAPTOP = Hardware(
    cpu="a CPU",
    cores=4,
    avx512_bf16=False,
    memory_gb=16.0,
    gpu=None,
    gpu_memory_gb=None,
    bf16=False,
)


@pytest.mark.parametrize(
    ("profile", "hardware", "disk", "why_not"),
    [
        ("tiny", LAPTOP, 50, None),
        ("tiny", replace(LAPTOP, memory_gb=1.0), 50, "of memory"),
        ("tiny", LAPTOP, 0.1, "free disk"),
        ("t4", LAPTOP, 50, "needs an NVIDIA GPU"),
        ("t4", replace(LAPTOP, gpu="Apple GPU (MPS)"), 50, "needs an NVIDIA GPU"),
        ("t4", replace(LAPTOP, gpu="T4", gpu_memory_gb=14.6), 50, None),
        ("gpu24", replace(LAPTOP, gpu="T4", gpu_memory_gb=14.6), 50, "on the GPU, which has 14.6"),
        ("gpu24", replace(LAPTOP, gpu="3090", gpu_memory_gb=23.6), 50, None),
    ],
)
def test_which_profile_fits(profile, hardware, disk, why_not):
    fit = doctor.check_fit(PROFILES[profile], hardware, disk)
    assert fit.fits == (why_not is None)
    assert why_not is None or why_not in fit.why_not


@pytest.mark.parametrize(
    ("requirement", "tested", "state"),
    [
        ("pytest>=8", None, "tested"),
        ("pytest>=8", "8.0.0", "allowed"),
        ("pytest>=999", "999.0", "outside"),
        ("no-such-package-here>=1", "1.0", "missing"),
    ],
)
def test_a_package_is_compared_with_the_tested_set_and_its_range(requirement, tested, state):
    pins = {"pytest": tested or pytest.__version__, "no-such-package-here": "1.0"}
    package = doctor._check_package(Requirement(requirement), pins)
    assert package.state == state
    problems = doctor._package_problems([package])
    assert [x.blocking for x in problems] == ([True] if state in {"outside", "missing"} else [])
    assert all(f"pip install '{requirement}'" in x.remedy for x in problems)


def test_the_tested_set_is_read_from_the_constraints():
    assert {"torch", "transformers", "trl"} <= set(doctor.tested_versions())
