import asyncio
import contextlib
import grp
import json
import os
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.serving import serving
from thingstead.errors import ConfigError, RoleError, TransportError
from thingstead.transport.control_socket import ControlClient, ControlServer


async def _echo(asked, _uid):
    return {"result": asked}


async def _with(path, work):
    server = ControlServer(path, _echo)
    await server.start()
    try:
        return await asyncio.to_thread(work)
    finally:
        await server.close()


def _raw(path, data):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(30.0)
        client.connect(str(path))
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        return client.makefile("rb").read()


def test_a_question_gets_its_answer_and_the_socket_is_its_owner_s_alone(tmp_path):
    path = tmp_path / "control.sock"

    def work():
        client = ControlClient(path)
        try:
            return path.stat().st_mode & 0o777, client.ask({"operation": "a"}), client.ask({"operation": "b"})
        finally:
            client.close()

    mode, first, second = asyncio.run(_with(path, work))
    assert mode == 0o600
    assert (first, second) == ({"result": {"operation": "a"}}, {"result": {"operation": "b"}})
    assert not path.exists()


@pytest.mark.parametrize("data", [b"no json\n", b"[]\n", b"7\n", b"\xff\n", b"[" * 100_000 + b"\n"])
def test_what_is_no_object_is_not_answered_and_ends_only_its_own_connection(tmp_path, data):
    path = tmp_path / "control.sock"
    answers = asyncio.run(_with(path, lambda: (_raw(path, data), _raw(path, b"{}\n"))))
    assert answers[0] == b""
    assert json.loads(answers[1]) == {"result": {}}


def test_a_socket_that_a_dead_controller_left_is_replaced(tmp_path):
    path = tmp_path / "control.sock"
    path.write_bytes(b"")
    assert asyncio.run(_with(path, lambda: _raw(path, b"{}\n"))) == b'{"result":{}}\n'


def test_a_path_that_no_socket_can_have_is_told(tmp_path):
    with pytest.raises(ConfigError):
        asyncio.run(ControlServer(tmp_path / ("x" * 200), _echo).start())


def test_a_group_that_this_machine_does_not_have_is_told_and_leaves_no_socket(tmp_path):
    path = tmp_path / "observe.sock"
    with pytest.raises(ConfigError, match="no group 'no-such-group'"):
        asyncio.run(ControlServer(path, _echo, group="no-such-group").start())
    assert not path.exists()


def test_a_socket_for_a_group_is_open_to_it_and_to_nobody_else(tmp_path):
    path, group = tmp_path / "observe.sock", grp.getgrgid(os.getgid()).gr_name

    async def whole():
        server = ControlServer(path, _echo, group=group)
        await server.start()
        try:
            status = path.stat()
            return status.st_mode & 0o777, status.st_gid, await asyncio.to_thread(_ask, path)
        finally:
            await server.close()

    assert asyncio.run(whole()) == (0o660, os.getgid(), {"result": {}})


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
@pytest.mark.parametrize(("group", "answered"), [(1, True), (2, False)])
def test_the_kernel_lets_members_of_the_group_in_and_refuses_others(group, answered):
    async def whole(path):
        # To connect is to write, for the kernel (unix(7)).
        server = ControlServer(path, _echo, group=grp.getgrgid(1).gr_name)
        await server.start()
        try:
            return await asyncio.to_thread(
                subprocess.run,
                ["/bin/sh", "-c", 'test -w "$0"', str(path)],
                cwd="/",
                user=65534,
                group=group,
                extra_groups=[],
                check=False,
            )
        finally:
            await server.close()

    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        assert (asyncio.run(whole(Path(folder) / "observe.sock")).returncode == 0) is answered


def test_who_may_not_connect_is_told_so(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(socket.socket, "connect", refuse)
    with pytest.raises(RoleError, match="is not open to you"):
        ControlClient(tmp_path / "observe.sock")


def test_nobody_there_is_told_with_what_to_do(tmp_path):
    with pytest.raises(TransportError, match="thingstead up"):
        ControlClient(tmp_path / "control.sock")


@pytest.mark.slow
@pytest.mark.parametrize("size", [1 << 20, 5_000_000])
def test_an_answer_longer_than_a_question_may_be_comes_whole(tmp_path, size):
    path = tmp_path / "control.sock"

    async def export(_asked, _uid):
        return {"result": "x" * size}

    async def whole():
        server = ControlServer(path, export)
        await server.start()
        try:
            return await asyncio.to_thread(_ask, path)
        finally:
            await server.close()

    assert asyncio.run(whole()) == {"result": "x" * size}


def test_a_client_that_says_nothing_is_hung_up_on_when_the_server_closes(tmp_path):
    path = tmp_path / "control.sock"

    async def silent():
        server = ControlServer(path, _echo)
        await server.start()
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"{}\n")
        assert await reader.readline() == b'{"result":{}}\n'
        await server.close()
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
        return [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]

    assert asyncio.run(silent()) == []


@pytest.mark.parametrize("turns", range(8))
def test_a_client_that_comes_while_the_server_closes_is_hung_up_on_too(tmp_path, turns):
    path = tmp_path / "control.sock"

    async def late():
        server = ControlServer(path, _echo)
        await server.start()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            # Between the turns of the loop the connection is accepted, made, and served.
            for _ in range(turns):
                await asyncio.sleep(0)
            await server.close()
            left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            client.settimeout(5)
            with contextlib.suppress(ConnectionResetError):
                assert await asyncio.to_thread(client.recv, 1) == b""
            return left

    assert asyncio.run(late()) == []


def test_a_client_that_does_not_read_its_answer_holds_up_no_end(tmp_path):
    path, asked = tmp_path / "control.sock", asyncio.Event()

    async def endless(_asked, _uid):
        asked.set()
        return {"result": "x" * 5_000_000}

    async def deaf():
        server = ControlServer(path, endless)
        await server.start()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            client.sendall(b"{}\n")
            await asked.wait()
            await asyncio.sleep(0)
            async with asyncio.timeout(30):
                await server.close()

    asyncio.run(deaf())


def test_a_controller_that_dies_while_it_answers_has_not_answered(tmp_path):
    path = tmp_path / "control.sock"

    async def die(reader, writer):
        await reader.readline()
        writer.write(b'{"result":"half an ans')
        writer.close()

    async def whole():
        async with serving(await asyncio.start_unix_server(die, path=path)):
            return await asyncio.to_thread(_ask, path)

    with pytest.raises(TransportError, match="before it had answered"):
        asyncio.run(whole())


def _ask(path):
    client = ControlClient(path)
    try:
        return client.ask({})
    finally:
        client.close()


async def _crowded(path, ask, *, patience):
    """What `ask` comes to while as many are connected as may be, none of whom says anything."""
    server = ControlServer(path, _echo, patience=patience)
    await server.start()
    idle = [await asyncio.open_unix_connection(str(path)) for _ in range(32)]
    try:
        return await asyncio.to_thread(ask)
    finally:
        for _, writer in idle:
            writer.close()
        await server.close()


def _asked(path):
    with contextlib.closing(ControlClient(path)) as client:
        return client.ask({"operation": "a"})


def test_one_more_than_may_ask_at_once_is_told_so(tmp_path):
    path = tmp_path / "control.sock"
    answer = asyncio.run(_crowded(path, lambda: _asked(path), patience=60.0))
    assert (answer["error"]["kind"], answer["error"]["reason"]) == ("TransportError", "busy")


def test_who_says_nothing_keeps_nobody_s_place_for_long(tmp_path):
    path = tmp_path / "control.sock"

    def in_the_end():
        while "result" not in (answer := _asked(path)):
            pass
        return answer

    assert asyncio.run(_crowded(path, in_the_end, patience=0.05)) == {"result": {"operation": "a"}}


def test_who_is_hung_up_on_with_a_question_half_sent_is_told(tmp_path):
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        client = ControlClient(path)
        listener.accept()[0].close()
        with pytest.raises(TransportError), contextlib.closing(client):
            client.ask({"operation": "x" * 1_000_000})
