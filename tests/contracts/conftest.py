"""What the contract suites share with the engine's tests."""

from tests.engine.conftest import one_thread as one_thread
