"""The parts of logging in: roles, people, sessions, attempts, proxies, host names."""

from __future__ import annotations

import socket

import pytest

from flower.login.attempts import KEPT_MOST, Attempts, new_attempt, pack, unpack
from flower.login.faults import LoginFault, refusal
from flower.login.people import People
from flower.login.proxy import trusted_proxy
from flower.login.roles import RoleFault, Roles
from flower.login.sessions import Sessions
from flower.utils.hosts import Hosts, OwnHosts, name_of
from tests.factories import Clock

# -- roles and people


@pytest.mark.parametrize(
    "entries, name, groups, role",
    [
        ([], "anybody", [], "admin"),
        (["admin:ann"], "ann", [], "admin"),
        (["admin:ann"], "Ann", [], "viewer"),
        (["admin:ann@example.com"], "ANN@example.com", [], "admin"),
        (["admin:.*@example.com"], "ann@example.com.evil.example", [], "viewer"),
        (["operator:a@b.c|d@e.f"], "d@e.f", [], "operator"),
        (["operator:group:ops"], "x", ["ops"], "operator"),
        (["operator:group:ops"], "ops", ["group:ops"], "viewer"),
        (["operator:group:a/b c"], "x", ["a/b c"], "operator"),
        (["viewer:ann", "admin:ann", "operator:ann"], "ann", [], "admin"),
        ([" admin : ann "], "ann", [], "admin"),
    ],
)
def test_roles(entries: list[str], name: str, groups: list[str], role: str) -> None:
    """The most powerful of the entries that fit counts; without a fitting one everybody is a viewer."""
    assert role == Roles(entries).of(name, groups)


@pytest.mark.parametrize("entry", ["", "ann", "root:ann", "admin:", "admin:group:", "admin:.*@.*", "admin:[a]@b.c"])
def test_role_faults(entry: str) -> None:
    """An entry that cannot mean anybody is refused."""
    with pytest.raises(RoleFault):
        Roles([entry])


@pytest.mark.parametrize(
    "people, email, groups, admitted",
    [
        (People(), "a@b.c", [], False),
        (People("a@b.c"), "A@B.C", [], True),
        (People("a@b.c"), "a@b.c\n", [], False),
        (People(".*@b.c", frozenset({"g"})), "a@b.c", [], False),
        (People(".*@b.c", frozenset({"g"})), "a@b.c", ["g"], True),
        (People("", frozenset({"g"})), "x", ["h"], False),
        (People("", frozenset({"g"})), "x", ["h", "g"], True),
    ],
)
def test_people(people: People, email: str, groups: list[str], admitted: bool) -> None:
    """Both the address and a group must fit, where both are asked for; where neither is, nobody does."""
    assert admitted == people.admits(email, groups)


# -- sessions


def test_session_lifetime() -> None:
    """A session ends after its lifetime however often it is used."""
    clock = Clock()
    sessions = Sessions(2, 1, clock=clock)
    packed = sessions.begin("ann").packed()
    found = []
    for _ in range(5):
        clock.now += 1800
        found.append(sessions.find(packed) is not None)
    assert [True, True, True, False, False] == found


def test_idle_session() -> None:
    """A session that is not used ends before."""
    clock = Clock()
    sessions = Sessions(24, 1, clock=clock)
    packed = sessions.begin("ann").packed()
    clock.now += 3600
    assert None is sessions.find(packed)


def test_asking_does_not_prolong() -> None:
    """An open stream keeps no session alive."""
    clock = Clock()
    sessions = Sessions(24, 1, clock=clock)
    session = sessions.begin("ann")
    clock.now += 3000
    assert sessions.alive(session.id)
    clock.now += 600
    assert not sessions.alive(session.id)


@pytest.mark.parametrize("takes_over", [True, False])
def test_ended_session(takes_over: bool) -> None:
    """What was ended stays ended, whatever the cookie says."""
    sessions = Sessions(takes_over=takes_over)
    session = sessions.begin("ann", ["ops"])
    sessions.end(session.id)
    assert (None, False) == (sessions.find(session.packed()), sessions.alive(session.id))


def test_all_sessions_of_somebody() -> None:
    """All of one user can be ended at once, and no other's."""
    sessions = Sessions()
    mine, other = [sessions.begin("ann").packed() for _ in range(3)], sessions.begin("bob").packed()
    assert 3 == sessions.end_all("ann")
    assert [None] * 3 == [sessions.find(packed) for packed in mine]
    assert sessions.find(other)


@pytest.mark.parametrize("takes_over", [True, False])
def test_session_of_another_server(takes_over: bool) -> None:
    """With a secret of the operator's own, sessions that another process began go on."""
    packed = Sessions().begin("ann", ["ops"]).packed()
    found = Sessions(takes_over=takes_over).find(packed)
    assert (("ann", ("ops",)) if takes_over else None) == (found and (found.name, found.groups))


def test_session_that_was_ended_before() -> None:
    """A session is not taken over if its mark is among the ended ones."""
    session, sessions = Sessions().begin("ann"), Sessions(takes_over=True)
    sessions.end_before([session.mark])
    assert None is sessions.find(session.packed())


def test_anew_where_it_is_not_known_which_were_ended() -> None:
    """No session of before is taken over then; one that another server begins later is."""
    clock = Clock()
    others, sessions = Sessions(clock=clock), Sessions(takes_over=True, clock=clock)
    before = others.begin("ann").packed()
    sessions.begin_anew()
    clock.now += 1
    later = others.begin("ann").packed()
    assert (None, True) == (sessions.find(before), sessions.find(later) is not None)


def test_old_session_of_another_server() -> None:
    """But not for longer than a session lasts."""
    clock = Clock()
    packed = Sessions(clock=clock).begin("ann").packed()
    clock.now += 169 * 3600
    assert None is Sessions(takes_over=True, clock=clock).find(packed)


@pytest.mark.parametrize(
    "packed", [None, "", "x", "[]", "{}", "[1,2,3,4]", '["a","b",1,"c"]', '["a","b",[],1,2]', b"\xff"]
)
def test_no_session(packed: str | bytes | None) -> None:
    """Anything else is no session, and no error."""
    assert None is Sessions(takes_over=True).find(packed)


def test_sessions_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound the least used one ends, and can not be taken over."""
    monkeypatch.setattr("flower.login.sessions.KNOWN_MOST", 3)
    clock = Clock()
    sessions = Sessions(takes_over=True, clock=clock)
    held = []
    for _ in range(5):
        clock.now += 1
        held.append(sessions.begin("ann").packed())
    assert [False, False, True, True, True] == [sessions.find(packed) is not None for packed in held]


def test_ended_sessions_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of those that were ended so many are remembered; what is older than the forgotten ones is not taken over."""
    monkeypatch.setattr("flower.login.sessions.ENDED_MOST", 2)
    clock = Clock()
    sessions = Sessions(takes_over=True, clock=clock)
    held = []
    for _ in range(4):
        clock.now += 1
        session = sessions.begin("ann")
        held.append(session.packed())
        sessions.end(session.id)
    assert [None] * 4 == [sessions.find(packed) for packed in held]


# -- attempts


def test_attempt_travels() -> None:
    """The newest attempts come back as they were packed."""
    made = [new_attempt(f"/{number}", 1.0) for number in range(KEPT_MOST + 2)]
    assert made[-KEPT_MOST:] == unpack(pack(made))


@pytest.mark.parametrize("length", [1, 500, 2000])
def test_attempts_fit_a_cookie(length: int) -> None:
    """However long the ways are, the last attempt is kept, and the cookie is not dropped."""
    made = [new_attempt("/" + "x" * (length - 1), 1.0) for _ in range(4)]
    packed = pack(made)
    assert (made[-1], True) == (unpack(packed)[-1], len(packed) <= 2400)


@pytest.mark.parametrize("text", [None, "", "x", "{}", "[]", "[1]", '[{"state":1}]', b"\xff"])
def test_no_attempt(text: str | bytes | None) -> None:
    """Anything else is none."""
    assert [] == unpack(text)


def test_attempt_is_taken_once() -> None:
    """Once, and for ten minutes."""
    clock = Clock()
    attempts = Attempts(clock)
    first, second = attempts.begin("/"), attempts.begin("/")
    assert first == attempts.take([second, first], first.state)
    for state in (first.state, "", "ü", "x"):
        with pytest.raises(LoginFault):
            attempts.take([second, first], state)
    clock.now += 601
    with pytest.raises(LoginFault):
        attempts.take([second], second.state)


def test_secrets_differ() -> None:
    """No two attempts share anything, and the challenge does not tell the verifier."""
    one, two = new_attempt("/", 1.0), new_attempt("/", 1.0)
    parts = [one.state, one.nonce, one.verifier, one.challenge, two.state, two.nonce, two.verifier, two.challenge]
    assert (8, True) == (len(set(parts)), min(map(len, parts)) >= 32)


def test_fault_is_one_plain_line() -> None:
    """What a provider says cannot write into the log what it likes."""
    assert "a [31mred b" == str(LoginFault("a\x1b[31mred\nb"))


@pytest.mark.parametrize(
    "code, told", [("access_denied", "(access_denied)"), ("<x>\n", "(unknown error)"), ("", "(unknown")]
)
def test_refusal(code: str, told: str) -> None:
    """The word of the provider is repeated if it is one."""
    assert told in str(refusal("GitHub", code, "x" * 1000))
    assert len(str(refusal("GitHub", code, "x" * 1000))) < 400


# -- proxies


PROXY = trusted_proxy("X-User", "X-Groups", ["10.0.0.0/8", "2001:db8::/32"])


@pytest.mark.parametrize(
    "headers, peer, user",
    [
        ({"X-User": "ann"}, "10.1.2.3", ("ann", ())),
        ({"X-User": " ann@example.com "}, "2001:db8::1", ("ann@example.com", ())),
        ({"X-User": "ann"}, "::ffff:10.1.2.3", ("ann", ())),
        ({"X-User": "ann", "X-Groups": "ops, dev,"}, "10.1.2.3", ("ann", ("ops", "dev"))),
        ({"X-User": "zo\u00c3\u00ab"}, "10.1.2.3", ("zoë", ())),
        ({"X-User": "ann"}, "11.0.0.1", None),
        ({"X-User": "ann"}, "::1", None),
        ({"X-User": "ann"}, "unix", None),
        ({"X-User": "ann"}, "", None),
        ({"X-User": "eve,ann"}, "10.1.2.3", None),
        ({"X-User": "a\tb"}, "10.1.2.3", None),
        ({"X-User": "x" * 300}, "10.1.2.3", None),
        ({"X-User": ""}, "10.1.2.3", None),
        ({"X-Groups": "ops"}, "10.1.2.3", None),
    ],
)
def test_proxy(headers: dict[str, str], peer: str, user: tuple[str, tuple[str, ...]] | None) -> None:
    """A name counts from the named addresses, if it is one name."""
    assert user == PROXY.user(headers, peer)


def test_proxy_over_the_socket_file() -> None:
    """The socket file is an address that can be named."""
    assert ("ann", ()) == trusted_proxy("X-User", None, ["unix"]).user({"X-User": "ann"}, "unix")


def test_no_proxy() -> None:
    """Without the option no header counts."""
    assert None is trusted_proxy(None, None, []).user({"": "ann", "X-User": "ann"}, "10.1.2.3")


# -- host names


@pytest.mark.parametrize(
    "host, allowed",
    [
        ("flower.example.com", True),
        ("FLOWER.example.com.:5555", True),
        ("a.internal", True),
        ("a.b.internal:80", True),
        ("internal", False),
        ("evilinternal", False),
        ("flower.example.com.evil.example", False),
        ("10.0.0.1:5555", True),
        ("[::1]:5555", True),
        ("::1", True),
        ("", False),
        ("localhost", False),
    ],
)
def test_hosts(host: str, allowed: bool) -> None:
    """A name is compared as a whole, the port left out."""
    assert allowed == Hosts(["flower.example.com", "*.internal", "10.0.0.1", "[::1]"]).allows(host)


@pytest.mark.parametrize("host", ["", "evil.example", "x:1:2", "[", "\0"])
def test_any_host(host: str) -> None:
    """Without names every one is allowed."""
    assert Hosts().allows(host)


@pytest.mark.parametrize(
    "host, allowed",
    [
        ("localhost:5555", True),
        ("127.0.0.1", True),
        ("127.1.2.3:5555", True),
        ("[::1]:5555", True),
        ("flower.localhost", True),
        (f"{socket.gethostname()}:5555", True),
        ("evil.example", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.nip.example", False),
        ("10.0.0.1", False),
    ],
)
def test_own_hosts(host: str, allowed: bool) -> None:
    """This machine is known by its addresses and names."""
    assert allowed == OwnHosts().allows(host)


@pytest.mark.parametrize("host, name", [("A.b:1", "a.b"), ("[::1]:1", "::1"), ("::1", "::1"), ("a.", "a"), ("", "")])
def test_name_of(host: str, name: str) -> None:
    """What a Host header names."""
    assert name == name_of(host)
