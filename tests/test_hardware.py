"""What the course believes about a machine: bf16, its description, and lessons side by side."""

from types import SimpleNamespace

import pytest

from ift_course import hardware
from ift_course.profile import get_profile


@pytest.mark.parametrize(
    ("flags", "vendor", "fast"),
    [
        ({"avx2", "fma"}, "GenuineIntel", False),
        ({"avx512f", "avx512_bf16"}, "AuthenticAMD", True),
        ({"avx512f", "avx512_bf16"}, "GenuineIntel", False),
        ({"avx512_bf16", "amx_bf16"}, "GenuineIntel", True),
        ({"asimd", "bf16"}, "", True),
        (set(), "", False),
    ],
)
def test_bf16_is_used_only_where_the_cpu_computes_it_faster(monkeypatch, flags, vendor, fast):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr(hardware, "_cpu_flags", lambda: frozenset(flags))
    monkeypatch.setattr(hardware, "_cpuinfo", lambda name: vendor)
    assert hardware.bf16_is_fast() is fast


def test_on_a_gpu_emulated_bf16_does_not_count(monkeypatch):
    def supported(including_emulation=True):
        return including_emulation  # as torch answers on a Colab T4

    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.is_bf16_supported", supported)
    assert hardware.bf16_is_fast() is False


def test_this_machine_is_described():
    machine = hardware.detect()
    assert machine.cpu and machine.cores >= 1 and machine.memory_gb > 0.5


@pytest.mark.parametrize(
    ("profile", "cores", "memory_gb", "lessons"),
    [
        ("tiny", 8, 64, 8),
        ("tiny", 8, 7, 2),
        ("tiny", 2, 1, 1),
        ("smollm2", 8, 24, 1),
        ("smollm2", 8, 40, 2),
        ("t4", 8, 64, 1),
    ],
)
def test_lessons_side_by_side_fit_the_cores_the_memory_and_the_gpu(
    monkeypatch, profile, cores, memory_gb, lessons
):
    memory = SimpleNamespace(total=memory_gb * 2**30)
    monkeypatch.setattr("psutil.virtual_memory", lambda: memory)
    monkeypatch.setattr(hardware, "usable_cores", lambda: cores)
    assert hardware.lessons_at_once(get_profile(profile)) == lessons
