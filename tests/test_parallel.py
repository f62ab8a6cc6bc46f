"""Work in other processes: in order, few or many, and light."""

import os
import sys

import pyarrow as pa
import pytest

from recsys.parallel import in_processes, one_by_one_apart


def weight(_item):
    pa.array([1])  # Arrow looks for pandas when it is first given a Python value
    return os.getpid(), "pandas" in sys.modules, pa.default_memory_pool().backend_name


def square(number):
    if number < 0:
        raise ValueError("negative")
    return number * number


def test_workers_load_no_pandas_and_give_memory_back():
    ((process, pandas, allocator),) = one_by_one_apart(weight, [0])
    assert process != os.getpid()
    assert (pandas, allocator) == (False, "system")


@pytest.mark.parametrize(("count", "batch"), [(0, 8), (8, 8), (9, 8), (3, 1)])
def test_results_come_in_order_wherever_they_were_computed(count, batch):
    assert list(in_processes(square, range(count), workers=2, batch=batch)) == [number**2 for number in range(count)]


def test_what_a_worker_raises_is_raised_here():
    with pytest.raises(ValueError, match="negative"):
        list(in_processes(square, [1, -1], workers=2, batch=1))


def test_nothing_to_do_apart_starts_nothing():
    assert list(one_by_one_apart(square, [])) == []
