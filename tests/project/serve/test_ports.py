"""A port that is taken."""

import socket

import pytest

from assessment.project.serve.errors import CannotServe
from assessment.project.serve.ports import open_port


def test_a_taken_port_is_refused_with_the_command_for_a_free_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotServe, match=rf"Port {port} is taken.*PORT=\d+ make run") as caught:
            open_port("127.0.0.1", port)
    assert caught.value.code == "port-taken"


def test_an_open_port_is_handed_to_the_web_server() -> None:
    with open_port("127.0.0.1", 0) as listener:
        assert listener.get_inheritable()
        socket.create_connection(listener.getsockname()).close()
