import subprocess
import sys

import pytest

import ift_course as ift

FRESH = """
import sys
import ift_course as ift
missing = [name for name in sys.argv[1:] if name not in dir(ift) or getattr(ift, name) is None]
sys.exit(f"not there: {missing}" if missing else 0)
"""


def test_every_public_name_is_there_when_it_is_first_used():
    command = [sys.executable, "-c", FRESH, *ift.__all__]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = ift.nonsense
