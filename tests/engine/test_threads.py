"""Small work runs on one thread, and the setting outside is never left changed."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest
import torch

from kanlab.engine.threads import few_threads, stretches

SMALL, LARGE = 1000, 10**9


@pytest.fixture(autouse=True)
def two_threads(one_thread) -> Iterator[None]:
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


def test_only_small_work_gets_one_thread():
    with few_threads(SMALL):
        assert torch.get_num_threads() == 1
    with few_threads(LARGE):
        assert torch.get_num_threads() == 2
    assert torch.get_num_threads() == 2


def test_the_setting_comes_back_after_an_error():
    with pytest.raises(ZeroDivisionError), few_threads(SMALL):
        raise ZeroDivisionError
    assert torch.get_num_threads() == 2


def counted(log: list[int]) -> Generator[int, str | None, str]:
    """Yield the threads at work; log them at the end too, however it comes."""
    try:
        for _ in range(2):
            sent = yield torch.get_num_threads()
            if sent is not None:
                log.append(len(sent))
        return "done"
    finally:
        log.append(torch.get_num_threads())


def test_a_generator_works_on_one_thread_and_waits_on_all():
    log: list[int] = []
    steps = stretches(counted(log), SMALL)
    assert next(steps) == 1
    assert torch.get_num_threads() == 2
    assert steps.send("four") == 1
    assert torch.get_num_threads() == 2
    with pytest.raises(StopIteration) as end:
        next(steps)
    assert end.value.value == "done"
    assert log == [4, 1]
    assert torch.get_num_threads() == 2


def test_closing_ends_the_work_inside_on_one_thread():
    log: list[int] = []
    steps = stretches(counted(log), SMALL)
    next(steps)
    steps.close()
    assert log == [1]
    assert torch.get_num_threads() == 2


def test_work_without_any_stretch_still_gives_its_result():
    def nothing() -> Generator[int, None, str]:
        return "nothing"
        yield 0

    with pytest.raises(StopIteration) as end:
        next(stretches(nothing(), SMALL))
    assert end.value.value == "nothing"
