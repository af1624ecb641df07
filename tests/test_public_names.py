import subprocess
import sys

import pytest

import ift_course as ift


@pytest.mark.parametrize("name", ift.__all__)
def test_every_public_name_is_there_when_asked_for(name):
    code = f"import ift_course as ift; assert ift.{name} is not None; assert '{name}' in dir(ift)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = ift.nonsense
