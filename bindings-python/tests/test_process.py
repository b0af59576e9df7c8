"""Signals, forks, threads and the cost of importing."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
import s3core
from s3core.testing import Gateway


def test_ctrl_c_interrupts_a_wait(gateway: Gateway, store: s3core.Store) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job starts with it ignored
    gateway.inject("stall", delay=20)
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        store.get("x")
    assert time.monotonic() - begin < 2


def test_a_signal_handler_runs_while_a_request_goes_on(gateway: Gateway, store: s3core.Store) -> None:
    store.put("x", b"abc")
    gateway.inject("stall", delay=1.0)
    seen: list[float] = []
    begin = time.monotonic()
    before = signal.signal(signal.SIGALRM, lambda *_: seen.append(time.monotonic() - begin))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        assert store.get("x") == b"abc"
    finally:
        signal.signal(signal.SIGALRM, before)
    assert len(seen) == 1
    assert seen[0] < 0.6


def test_other_threads_run_during_a_wait(gateway: Gateway, store: s3core.Store) -> None:
    store.put("x", b"abc")
    gateway.inject("stall", delay=1.0)
    waiting = threading.Thread(target=store.get, args=("x",))
    waiting.start()
    count = 0
    while waiting.is_alive():
        time.sleep(0.01)
        count += 1
    assert count > 20


def test_threads_share_a_store(store: s3core.Store) -> None:
    def work(number: int) -> None:
        for turn in range(10):
            store.put(f"{number}/{turn}", bytes([number]) * 1000)
            assert store.get(f"{number}/{turn}") == bytes([number]) * 1000

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(store.list())) == 80


def _child(store: s3core.Store, gateway: Gateway) -> None:
    assert store.get("x") == b"abc"
    store.put(f"child-{os.getpid()}", bytes(10 * 2**20))
    # The parent's endpoint is not the child's to stop.
    gateway.close()


def test_a_forked_child_works_and_so_does_its_parent(gateway: Gateway, store: s3core.Store) -> None:
    store.put("x", b"abc")
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=_child, args=(store, gateway)) for _ in range(3)]
    for child in children:
        child.start()
    assert store.get("x") == b"abc"
    for child in children:
        child.join(30)
    assert [child.exitcode for child in children] == [0, 0, 0]
    assert len(list(store.list("child-"))) == 3


def test_a_fork_while_requests_are_under_way(gateway: Gateway, store: s3core.Store) -> None:
    store.put("x", b"abc")
    gateway.inject("stall", delay=0.5, times=4)
    waiting = [threading.Thread(target=store.get, args=("x",)) for _ in range(4)]
    for thread in waiting:
        thread.start()
    time.sleep(0.1)
    child = multiprocessing.get_context("fork").Process(target=_child, args=(store, gateway))
    child.start()
    child.join(30)
    assert child.exitcode == 0
    for thread in waiting:
        thread.join()


def test_a_listing_does_not_go_on_in_a_child(gateway: Gateway) -> None:
    store = gateway.store("lake", paging_maximum=1)
    store.put("a", b"")
    store.put("b", b"")
    listing = store.list()
    next(listing)
    child = os.fork()
    if child == 0:
        try:
            next(listing)
        except s3core.exceptions.ClosedError:
            os._exit(0)
        except BaseException:
            os._exit(2)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert next(listing).key == "b"


def _run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def test_import_is_fast() -> None:
    code = "import time; begin = time.perf_counter(); import s3core; print(time.perf_counter() - begin)"
    assert min(float(_run(code)) for _ in range(5)) <= 0.2  # the fastest: whatever else the machine does is not ours


def test_import_brings_no_other_package() -> None:
    code = "import sys, s3core, s3core.spark, s3core.testing; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = set(_run(code).split())
    assert not loaded & {"pyspark", "py4j", "pandas", "pyarrow", "numpy", "typing_extensions"}
