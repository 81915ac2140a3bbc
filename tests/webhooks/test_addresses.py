"""Where a message may go: every way to write, or to find, an address that is not public leads nowhere."""

import ipaddress
import socket
from contextlib import closing
from ipaddress import ip_network

import pytest

from jointoit.webhooks import addresses, sending
from jointoit.webhooks.addresses import NotAllowed, is_public, read
from jointoit.webhooks.sending import Sender, Verdict

NOT_PUBLIC = """
0.0.0.0 10.0.0.1 100.64.0.1 127.0.0.1 127.8.8.8 169.254.169.254 172.16.0.1 192.0.0.1 192.0.2.1 192.88.99.1 192.168.1.1
198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255
:: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 64:ff9b::7f00:1 64:ff9b:1::7f00:1 100::1 2001::1 2001:db8::1
2002:7f00:1::1 3fff::1 5f00::1 fc00::1 fd12::1 fe80::1 fec0::1 ff02::1
"""
PUBLIC = "1.1.1.1 9.9.9.9 93.184.216.34 2606:4700:4700::1111 2a00:1450:4001::1 ::ffff:1.1.1.1"


@pytest.mark.parametrize("text", NOT_PUBLIC.split())
def test_an_address_that_is_not_public_is_none(text):
    assert not is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", PUBLIC.split())
def test_a_public_address_is_one(text):
    assert is_public(ipaddress.ip_address(text))


@pytest.fixture
def _untrusting(settings):
    settings.WEBHOOK_TRUSTED_NETWORKS = []


#: What is refused at once, for there is nothing to look up.
TRICKS = """
https://127.0.0.1/ https://2130706433/ https://0x7f000001/ https://0x7f.1/ https://0177.0.0.1/ https://017700000001/
https://127.1/ https://127.0.0.1./ https://[::1]/ https://[::ffff:127.0.0.1]/ https://[::ffff:7f00:1]/
https://[64:ff9b::7f00:1]/ https://[2002:7f00:1::]/ https://[fec0::1]/ https://[fe80::1%25lo]/ https://[fe80::1%lo]/
https://example.org@127.0.0.1/ https://user:word@example.org/ https://example.org/#x https:// https:///x ftp://example.org/
http://example.org/ https://example.org:0/ https://example.org:99999/ https://exa%6dple.org/ https://example.org/ä
https://-/ https://a..b/ example.org javascript:1 https://[1::/ https://１２７.０.０.１/ https://①②⑦.①/ https://0/
"""


@pytest.mark.timeout(5)  # the time would double with each letter, and end with the universe
@pytest.mark.parametrize("name", ["a" * 60 + "!", "a." * 60 + "!", "-".join("a" * 60) + "!"])
def test_a_name_that_is_none_is_refused_at_once(name):
    with pytest.raises(NotAllowed):
        addresses.read(f"https://{name}/")


@pytest.mark.usefixtures("_untrusting")
@pytest.mark.parametrize("url", [*TRICKS.split(), "https://a b.org/", "https://example.org/\r\nx: y", "https://\\@x/"])
def test_an_address_that_leads_elsewhere_is_refused_when_it_is_given(url):
    with pytest.raises(NotAllowed):
        read(url)


@pytest.mark.usefixtures("_untrusting")
@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://Example.ORG", "https://example.org/"),
        ("https://example.org.:443/a?b=c", "https://example.org/a?b=c"),
        ("https://bücher.example:8443/x", "https://xn--bcher-kva.example:8443/x"),
        ("https://1.1.1.1/", "https://1.1.1.1/"),
        ("https://[2606:4700:4700::1111]/", "https://[2606:4700:4700::1111]/"),
    ],
)
def test_an_address_is_kept_in_its_plain_form(url, kept):
    assert read(url).url == kept


# ── Zero packets to loopback ──


@pytest.fixture
def trap():
    """A socket that listens on all of this machine; `accepted` says whether anybody came."""
    with socket.create_server(("", 0), backlog=50) as listening:
        listening.settimeout(0.05)

        class Trap:
            port = listening.getsockname()[1]

            @staticmethod
            def caught():
                try:
                    listening.accept()[0].close()
                except TimeoutError:
                    return False
                return True

        yield Trap


@pytest.fixture
def resolves(monkeypatch):
    """Have names lead to addresses, of which each look-up gets the next; the last one stays."""

    def resolves(*answers):
        left = list(answers)
        real = socket.getaddrinfo

        def look(host, port, *args, **kwargs):
            if host != "hooks.example.org" or kwargs.get("flags"):  # asked for a number, it is not looked up
                return real(host, port, *args, **kwargs)
            found = left.pop(0) if len(left) > 1 else left[0]
            return [each for address in found for each in real(address, port, *args, **kwargs)]

        monkeypatch.setattr(socket, "getaddrinfo", look)

    return resolves


@pytest.fixture
def _impatient(monkeypatch):
    monkeypatch.setattr(sending, "TIMEOUT", 1.0)


def post(port, scheme="https"):
    with closing(Sender(f"{scheme}://hooks.example.org:{port}/")) as sender:
        return sender.post(b"{}", {})


@pytest.mark.usefixtures("_untrusting")
@pytest.mark.parametrize("text", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0", "127.1.2.3"])
def test_a_name_that_leads_to_this_machine_sends_nothing_there(trap, resolves, text):
    resolves([text])

    outcome = post(trap.port)

    assert (outcome.verdict, outcome.status, outcome.answer) == (Verdict.LATER, None, "Its address is not public.")
    assert not trap.caught()


@pytest.mark.usefixtures("_untrusting")
def test_one_address_that_is_not_public_is_one_too_many(trap, resolves):
    resolves(["1.1.1.1", "127.0.0.1"])

    assert post(trap.port).answer == "Its address is not public."
    assert not trap.caught()


@pytest.mark.usefixtures("_impatient")
def test_the_trap_is_one(trap, resolves, settings):
    """The control: a network that is trusted is reached."""
    settings.WEBHOOK_TRUSTED_NETWORKS = [ip_network("127.0.0.0/8")]
    resolves(["127.0.0.1"])

    assert post(trap.port).status is None
    assert trap.caught()


@pytest.mark.usefixtures("_impatient")
def test_a_resolver_that_changes_its_mind_is_not_asked_again(receiver, trap, resolves, settings):
    """Looked at: an address that is trusted. Connected to: the same one, whatever the name leads to by then."""
    settings.WEBHOOK_TRUSTED_NETWORKS = [ip_network("127.0.0.2/32")]
    sink = receiver(host="127.0.0.2")
    resolves(["127.0.0.2"], ["127.0.0.1"])

    with closing(Sender(f"http://hooks.example.org:{sink.server_port}/")) as sender:
        first, second = sender.post(b"{}", {}), sender.post(b"{}", {})

    assert (first.status, second.status) == (204, None)
    assert second.answer == "Only https:// leads out of the networks that are trusted here."
    assert sink.received[0].headers["host"] == f"hooks.example.org:{sink.server_port}"
    assert (len(sink.received), trap.caught()) == (1, False)


def naive_post(url):
    """Looks, then has somebody else look again."""
    target = addresses.read(url)
    addresses.look_up(target)
    with socket.create_connection((target.host, target.port), timeout=1):
        return True


def test_who_looks_twice_is_led_into_the_trap(trap, resolves, settings):
    """The control of the one before."""
    settings.WEBHOOK_TRUSTED_NETWORKS = [ip_network("127.0.0.2/32")]
    resolves(["127.0.0.2"], ["127.0.0.1"])

    assert naive_post(f"http://hooks.example.org:{trap.port}/")
    assert trap.caught()


def test_proxies_of_the_environment_are_not_asked(receiver, trap, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{trap.port}")

    with closing(Sender(receiver().url)) as sender:
        assert sender.post(b"{}", {}).status == 204
    assert not trap.caught()
