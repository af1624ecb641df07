import pytest

from ift_course import hardware


@pytest.mark.parametrize(
    ("flags", "fast"),
    [
        ({"avx2", "fma"}, False),
        ({"avx512f", "avx512_bf16"}, True),
        ({"amx_bf16"}, True),
        ({"asimd", "bf16"}, True),
    ],
)
def test_bf16_is_used_only_where_the_cpu_computes_it(monkeypatch, flags, fast):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr(hardware, "_cpu_flags", lambda: frozenset(flags))
    assert hardware.bf16_is_fast() is fast


def test_on_a_gpu_emulated_bf16_does_not_count(monkeypatch):
    def supported(including_emulation=True):
        return including_emulation  # what torch says on a Colab T4

    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.is_bf16_supported", supported)
    assert hardware.bf16_is_fast() is False


def test_this_machine_is_described():
    found = hardware.detect()
    assert found.cpu and found.cores >= 1 and found.memory_gb > 0.5
